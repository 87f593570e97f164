//! One connection to Redis, for commands and for what is published.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, IntoConnectionInfo, Pipeline, ProtocolVersion, PushInfo, PushKind, RedisError, Value,
};

use super::keys::{self, Topic};
use super::{Header, Lease, Message, OLDEST, Seen};
use crate::presence::UserId;

/// How long Redis may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why the cluster cannot be joined. One line, without what the address holds of secrets.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("it is not an address like redis://host:6379 or rediss://host:6379")]
    Address,
    #[error("Redis is out of reach or refuses: {0}")]
    Redis(#[from] RedisError),
    #[error("Redis {0} is too old: {OLDEST} or newer has what it takes")]
    TooOld(String),
    #[error("it does not say which version it is")]
    NoVersion,
    #[error("a Redis Cluster is not supported yet: name a Redis that stands alone")]
    Divided,
}

/// A connection that is used under one lease.
#[derive(Clone)]
pub struct Link {
    connection: MultiplexedConnection,
    pub lease: Lease,
    pub scripts: Arc<Scripts>,
    given_up: Arc<Mutex<bool>>,
}

/// The names by which Redis knows the scripts.
pub struct Scripts {
    pub presence: String,
    pub watching: String,
    pub lease: String,
    pub sweep: String,
}

/// The client for this address.
pub fn client(url: &str) -> Result<Client, OpenError> {
    let info = url.into_connection_info().map_err(|_| OpenError::Address)?;
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Ok(Client::open(info.set_redis_settings(settings))?)
}

impl Link {
    /// Connects. A reply that takes longer than `patience` will not come any more. `heard` is given what
    /// is published, in its order and before any later reply; `lost` is called when the connection ends.
    pub async fn open(
        client: &Client,
        lease: Lease,
        patience: Duration,
        heard: impl Fn(Message) + Send + Sync + 'static,
        lost: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        let given_up = Arc::new(Mutex::new(false));
        let is_given_up = given_up.clone();
        let push = move |info: PushInfo| -> Result<(), RedisError> {
            match info.kind {
                PushKind::SMessage => {
                    // Held until it is heard: then it was before the end.
                    let given_up = is_given_up.lock().unwrap_or_else(PoisonError::into_inner);
                    match message(&info.data) {
                        _ if *given_up => {}
                        Some(message) => heard(message),
                        None => tracing::warn!("a message from another node could not be read"),
                    }
                }
                PushKind::Disconnection => lost(),
                _ => {}
            }
            Ok(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(patience))
            .set_push_sender(push);
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        check_version(&mut connection).await?;
        let mut load = Pipeline::new();
        for script in [
            include_str!("presence.lua"),
            include_str!("watching.lua"),
            include_str!("lease.lua"),
            include_str!("sweep.lua"),
        ] {
            load.cmd("SCRIPT").arg("LOAD").arg(script);
        }
        let (presence, watching, lease_script, sweep) = load.query_async(&mut connection).await?;
        let scripts = Arc::new(Scripts { presence, watching, lease: lease_script, sweep });
        Ok(Self { connection, lease, scripts, given_up })
    }

    /// Nothing is heard over it any more: what still comes is older than what is heard elsewhere.
    pub fn give_up(&self) {
        *self.given_up.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    /// Sends commands in one go and waits for all replies.
    pub async fn ask(&self, commands: &Pipeline) -> Result<Vec<Value>, RedisError> {
        commands.query_async(&mut self.connection.clone()).await
    }
}

async fn check_version(connection: &mut MultiplexedConnection) -> Result<(), OpenError> {
    let info: String = redis::cmd("INFO").arg("server").query_async(connection).await?;
    // Valkey says the same, for those who ask for it.
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:")).ok_or(OpenError::NoVersion)?.trim();
    if info.lines().any(|line| line.trim() == "redis_mode:cluster") {
        return Err(OpenError::Divided);
    }
    let major = version.split('.').next().and_then(|major| major.parse::<u64>().ok());
    match major {
        Some(major) if major >= OLDEST => Ok(()),
        _ => Err(OpenError::TooOld(version.to_owned())),
    }
}

/// Begins or ends to listen to topics, with a reply for each.
pub fn subscription(command: &str, topics: &[Topic]) -> Pipeline {
    let mut commands = Pipeline::with_capacity(topics.len());
    for topic in topics {
        commands.cmd(command).arg(topic.name());
    }
    commands
}

/// Adds questions how users stand, with a reply for each.
pub fn look_up(commands: &mut Pipeline, users: &[UserId]) {
    for user in users {
        commands.cmd("HGETALL").arg(keys::user(user));
    }
}

/// Adds a message to those who listen to the topic.
pub fn publish(commands: &mut Pipeline, topic: &Topic, header: &Header, body: &str) {
    let mut text = header.to_text();
    text.push('\n');
    text.push_str(body);
    commands.cmd("SPUBLISH").arg(topic.name()).arg(text);
}

/// Reads a reply to [`look_up`].
pub fn seen(reply: Value) -> Seen {
    let mut seen = Seen::default();
    let fields: Vec<(Vec<u8>, Vec<u8>)> = redis::from_redis_value(reply).unwrap_or_default();
    for (name, value) in fields {
        match (&*name, &*value) {
            (b"online", value) => seen.online = value == b"1",
            (b"seq", value) => {
                seen.seq = std::str::from_utf8(value).ok().and_then(|seq| seq.parse().ok()).unwrap_or_default();
            }
            (_, b"here") => (seen.connected, seen.in_sight) = (true, true),
            (_, b"hiding" | b"hidden") => seen.connected = true,
            _ => {}
        }
    }
    seen
}

/// Reads a reply that is a list of names; those that cannot be ours are left out.
pub fn names(reply: Value) -> Vec<Arc<str>> {
    let names: Vec<String> = redis::from_redis_value(reply).unwrap_or_default();
    names.into_iter().map(Into::into).collect()
}

fn message(data: &[Value]) -> Option<Message> {
    match data {
        [_, Value::BulkString(text)] => Message::parse(std::str::from_utf8(text).ok()?),
        _ => None,
    }
}
