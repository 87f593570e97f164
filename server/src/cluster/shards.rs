//! The connections to a Redis that stands alone, or to each master of a Redis Cluster.
//!
//! What changes in a Redis Cluster, a slot that moves, a master that dies or steps back, ends the whole link:
//! a new one begins with the map as it is then, says everything and looks at everybody, as it does after a
//! Redis that was away. So nothing here follows a redirection.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::try_join_all;
use redis::aio::MultiplexedConnection;
use redis::cluster_routing::Slot;
use redis::{Arg, AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, Pipeline, RedisError, Value};

use super::OLDEST;
use super::connection::{OpenError, PATIENCE};

/// How many slots a Redis Cluster has.
const SLOTS: usize = 16_384;

pub struct Shards {
    connections: Vec<MultiplexedConnection>,
    /// Which of the connections each slot belongs to, where there are several.
    owners: HashMap<Slot, usize>,
}

impl Shards {
    /// Connects to every master there is, asking one of `seeds` for them. Returns also the addresses of all
    /// that belong to the Redis Cluster, replicas too, at which it may be asked next time.
    pub async fn open(
        seeds: &[ConnectionInfo],
        config: &AsyncConnectionConfig,
    ) -> Result<(Self, Vec<ConnectionInfo>), OpenError> {
        let (seed, mut asked) = first_of(seeds).await?;
        if !is_divided(&mut asked).await? {
            if seeds.len() > 1 {
                return Err(OpenError::Several);
            }
            let connections = vec![connect(seed.clone(), config).await?];
            return Ok((Self { connections, owners: HashMap::new() }, Vec::new()));
        }
        let slots: Value = redis::cmd("CLUSTER").arg("SLOTS").query_async(&mut asked).await?;
        let ranges = ranges(&slots, seed);
        let mut places = BTreeMap::new();
        let mut owners = HashMap::new();
        let mut connections = Vec::new();
        for Range { first, last, nodes } in &ranges {
            let Some(master) = nodes.first() else { continue };
            let place = match places.get(&master.addr().to_string()) {
                Some(place) => *place,
                None => {
                    connections.push(connect(master.clone(), config).await?);
                    places.insert(master.addr().to_string(), connections.len() - 1);
                    connections.len() - 1
                }
            };
            owners.extend((*first..=*last).filter_map(Slot::new).map(|slot| (slot, place)));
        }
        if owners.len() < SLOTS {
            return Err(OpenError::Uncovered);
        }
        let nodes = ranges.into_iter().flat_map(|range| range.nodes);
        let nodes: BTreeMap<_, _> = nodes.map(|node| (node.addr().to_string(), node)).collect();
        Ok((Self { connections, owners }, nodes.into_values().collect()))
    }

    /// Sends each command to where its key is, and waits for all replies, which are in the order of the
    /// commands. A command without a key goes to all that are asked anything before it.
    pub async fn ask(&self, commands: &Pipeline) -> Result<Vec<Value>, RedisError> {
        if let [connection] = &*self.connections {
            return commands.query_async(&mut connection.clone()).await;
        }
        let mut parts: Vec<_> = self.connections.iter().map(|_| (Pipeline::new(), Vec::new())).collect();
        for (place, command) in commands.cmd_iter().enumerate() {
            let owner = key(command).and_then(|key| self.owners.get(&Slot::for_key(key)));
            for (at, (part, places)) in parts.iter_mut().enumerate() {
                if owner.map_or(!places.is_empty(), |owner| *owner == at) {
                    part.add_command(command.clone());
                    places.push(place);
                }
            }
        }
        let asked = parts.iter().zip(&self.connections).filter(|((part, _), _)| !part.is_empty());
        let answered = try_join_all(asked.map(async |((part, places), connection)| {
            let replies: Vec<Value> = part.query_async(&mut connection.clone()).await?;
            Ok::<_, RedisError>((places, replies))
        }));
        let mut replies = vec![Value::Nil; commands.len()];
        for (places, answers) in answered.await? {
            for (place, answer) in places.iter().zip(answers) {
                if let Some(reply) = replies.get_mut(*place) {
                    *reply = answer;
                }
            }
        }
        Ok(replies)
    }

    /// Sends all of them to every master; returns the replies of one.
    pub async fn ask_all(&self, commands: &Pipeline) -> Result<Vec<Value>, RedisError> {
        let asked = self.connections.iter().map(async |connection| commands.query_async(&mut connection.clone()).await);
        Ok(try_join_all(asked).await?.pop().unwrap_or_default())
    }
}

/// The first of them that answers.
async fn first_of(seeds: &[ConnectionInfo]) -> Result<(&ConnectionInfo, MultiplexedConnection), OpenError> {
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(PATIENCE));
    let mut failed = OpenError::Address;
    for seed in seeds {
        match connect(seed.clone(), &config).await {
            Ok(connection) => return Ok((seed, connection)),
            Err(error) => failed = error.into(),
        }
    }
    Err(failed)
}

async fn connect(info: ConnectionInfo, config: &AsyncConnectionConfig) -> Result<MultiplexedConnection, RedisError> {
    Client::open(info)?.get_multiplexed_async_connection_with_config(config).await
}

/// Whether it belongs to a Redis Cluster. It must be new enough.
async fn is_divided(connection: &mut MultiplexedConnection) -> Result<bool, OpenError> {
    let info: String = redis::cmd("INFO").arg("server").query_async(connection).await?;
    // Valkey says the same, for those who ask for it.
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:")).ok_or(OpenError::NoVersion)?.trim();
    let major = version.split('.').next().and_then(|major| major.parse::<u64>().ok());
    match major {
        Some(major) if major >= OLDEST => Ok(info.lines().any(|line| line.trim() == "redis_mode:cluster")),
        _ => Err(OpenError::TooOld(version.to_owned())),
    }
}

/// The slots that are together, and who has them: the master, then its replicas.
struct Range {
    first: u16,
    last: u16,
    nodes: Vec<ConnectionInfo>,
}

/// Reads a reply to `CLUSTER SLOTS`.
fn ranges(slots: &Value, seed: &ConnectionInfo) -> Vec<Range> {
    let range = |range: &Value| match range.as_sequence()? {
        [Value::Int(first), Value::Int(last), nodes @ ..] => Some(Range {
            first: u16::try_from(*first).ok()?,
            last: u16::try_from(*last).ok()?,
            nodes: nodes.iter().filter_map(|node| address(node, seed)).collect(),
        }),
        _ => None,
    };
    slots.as_sequence().unwrap_or_default().iter().filter_map(range).collect()
}

/// The address of one of them, reached as `seed` is, with the same password and by TLS if so.
fn address(node: &Value, seed: &ConnectionInfo) -> Option<ConnectionInfo> {
    let [name, Value::Int(port), ..] = node.as_sequence()? else { return None };
    let name = match name {
        Value::BulkString(name) => std::str::from_utf8(name).ok()?,
        _ => "",
    };
    let port = u16::try_from(*port).ok()?;
    let mut address = seed.addr().clone();
    match &mut address {
        ConnectionAddr::Tcp(host, its) | ConnectionAddr::TcpTls { host, port: its, .. } => {
            // Without a name it is where the one is that was asked.
            if !name.is_empty() {
                name.clone_into(host);
            }
            *its = port;
        }
        _ => return None,
    }
    Some(seed.clone().set_addr(address))
}

fn key(command: &Cmd) -> Option<&[u8]> {
    let place = match command.args_iter().next() {
        Some(Arg::Simple(b"EVALSHA")) => 3,
        _ => 1,
    };
    match command.args_iter().nth(place) {
        Some(Arg::Simple(key)) => Some(key),
        _ => None,
    }
}
