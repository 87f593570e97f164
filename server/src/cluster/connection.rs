//! The way to Redis, for commands and for what is published.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{
    AsyncConnectionConfig, ConnectionInfo, IntoConnectionInfo, Pipeline, ProtocolVersion, PushInfo, PushKind,
    RedisError, Value,
};

use super::keys::{Keys, Topic};
use super::shards::Shards;
use super::{Header, Lease, Message, OLDEST, Seen};
use crate::presence::UserId;

/// How long Redis may take to accept a connection.
pub const PATIENCE: Duration = Duration::from_secs(2);

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
    #[error("several addresses are for a Redis Cluster, and what answers there stands alone")]
    Several,
    #[error("some slots of the Redis Cluster are nobody's")]
    Uncovered,
}

/// Connections that are used under one lease.
#[derive(Clone)]
pub struct Link {
    shards: Arc<Shards>,
    pub lease: Lease,
    pub keys: Keys,
    pub scripts: Arc<Scripts>,
    given_up: Arc<Mutex<bool>>,
    /// How many topics it is about to end listening to.
    ending: Arc<AtomicUsize>,
}

/// The names by which Redis knows the scripts.
pub struct Scripts {
    pub presence: String,
    pub watching: String,
    pub lease: String,
    pub sweep: String,
}

/// Where Redis is.
pub struct Addresses {
    given: Vec<ConnectionInfo>,
    /// Those that belonged to the Redis Cluster last time: whichever was given may be the one that died.
    learned: Mutex<Vec<ConnectionInfo>>,
}

impl Addresses {
    /// Reads one or several, with commas between them.
    pub fn parse(urls: &str) -> Result<Self, OpenError> {
        let address = |url: &str| {
            let info = url.into_connection_info().map_err(|_| OpenError::Address)?;
            let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
            Ok(info.set_redis_settings(settings))
        };
        let given = urls.split(',').map(|url| address(url.trim())).collect::<Result<_, OpenError>>()?;
        Ok(Self { given, learned: Mutex::default() })
    }

    /// The number of the database, which all of them share.
    pub fn database(&self) -> i64 {
        self.given.first().map_or(0, |info| info.redis_settings().db())
    }

    async fn open(&self, config: &AsyncConnectionConfig) -> Result<Shards, OpenError> {
        let mut seeds = self.given.clone();
        seeds.extend(self.learned.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
        let (shards, nodes) = Shards::open(&seeds, config).await?;
        *self.learned.lock().unwrap_or_else(PoisonError::into_inner) = nodes;
        Ok(shards)
    }
}

impl Link {
    /// Connects. A reply that takes longer than `patience` will not come any more. `heard` is given what
    /// is published, in its order and before any later reply from there; `lost` is called when a connection
    /// ends, or something that was listened to has moved elsewhere.
    pub async fn open(
        addresses: &Addresses,
        lease: Lease,
        keys: Keys,
        patience: Duration,
        heard: impl Fn(Message) + Send + Sync + 'static,
        lost: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        let given_up = Arc::new(Mutex::new(false));
        let is_given_up = given_up.clone();
        let ending = Arc::new(AtomicUsize::new(0));
        let to_end = ending.clone();
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
                // Unasked it comes when the slot has moved.
                PushKind::SUnsubscribe if is_asked(&to_end) => {}
                PushKind::SUnsubscribe | PushKind::Disconnection => lost(),
                _ => {}
            }
            Ok(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(patience))
            .set_push_sender(push);
        let shards = addresses.open(&config).await?;
        let mut load = Pipeline::new();
        for script in [
            include_str!("presence.lua"),
            include_str!("watching.lua"),
            include_str!("lease.lua"),
            include_str!("sweep.lua"),
        ] {
            load.cmd("SCRIPT").arg("LOAD").arg(script);
        }
        let loaded = Value::Array(shards.ask_all(&load).await?);
        let (presence, watching, lease_script, sweep) = redis::from_redis_value(loaded).map_err(RedisError::from)?;
        let scripts = Arc::new(Scripts { presence, watching, lease: lease_script, sweep });
        Ok(Self { shards: Arc::new(shards), lease, keys, scripts, given_up, ending })
    }

    /// Nothing is heard over it any more: what still comes is older than what is heard elsewhere.
    pub fn give_up(&self) {
        *self.given_up.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    /// Sends commands in one go and waits for all replies.
    pub async fn ask(&self, commands: &Pipeline) -> Result<Vec<Value>, RedisError> {
        self.shards.ask(commands).await
    }

    /// Whether every Redis answers.
    pub async fn ping(&self) -> Result<(), RedisError> {
        let mut ping = Pipeline::new();
        ping.cmd("PING");
        self.shards.ask_all(&ping).await.map(drop)
    }

    /// Begins to listen to topics.
    pub async fn listen(&self, topics: &[Topic]) -> Result<(), RedisError> {
        self.ask(&self.subscription("SSUBSCRIBE", topics)).await.map(drop)
    }

    /// Ends it.
    pub async fn ignore(&self, topics: &[Topic]) -> Result<(), RedisError> {
        self.ending.fetch_add(topics.len(), Ordering::Relaxed);
        self.ask(&self.subscription("SUNSUBSCRIBE", topics)).await.map(drop)
    }

    /// Begins or ends to listen to topics, with a reply for each.
    pub fn subscription(&self, command: &str, topics: &[Topic]) -> Pipeline {
        let mut commands = Pipeline::with_capacity(topics.len());
        for topic in topics {
            commands.cmd(command).arg(self.keys.topic(topic));
        }
        commands
    }

    /// Adds questions how users stand, with a reply for each.
    pub fn look_up(&self, commands: &mut Pipeline, users: &[UserId]) {
        for user in users {
            commands.cmd("HGETALL").arg(self.keys.user(user));
        }
    }

    /// Adds a message to those who listen to the topic.
    pub fn publish(&self, commands: &mut Pipeline, topic: &Topic, header: &Header, body: &str) {
        let mut text = header.to_text();
        text.push('\n');
        text.push_str(body);
        commands.cmd("SPUBLISH").arg(self.keys.topic(topic)).arg(text);
    }
}

/// Takes one off what is to come, if anything is.
fn is_asked(left: &AtomicUsize) -> bool {
    left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

/// Reads a reply to [`Link::look_up`].
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
