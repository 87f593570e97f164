//! Several nodes as one server, by way of Redis: all that speaks to it.
//!
//! What a node knows of its own users it claims in Redis under its lease ([`Lease`]); what others see
//! follows there from all claims together, atomically and in one order per user. A node hears of a
//! flip when it listens to the user's topic ([`Topic`]), of a channel's events when it listens to the
//! channel's. A lease that is not renewed ends, and whichever node notices first takes back what was
//! claimed under it.
//!
//! Everything of a user or a channel has one hash tag, and messages go out by sharded publishing, so that
//! a Redis Cluster carries it.
//! Nothing here knows the hub: it is asked by way of [`Node`].

mod connection;
mod keeper;
pub mod keys;
mod lease;
mod message;
mod shards;
mod topics;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use redis::{Pipeline, Value};
use tokio::sync::{Notify, watch};

pub use connection::{Link, OpenError};
pub use keys::Topic;
pub use lease::{Lease, NodeId};
pub use message::{Flip, Header, Message, Order, Question, Watching};

use crate::metrics::Metrics;
use crate::presence::{Cid, UserId};
use connection::Addresses;
use keys::Keys;
use topics::Topics;

/// The oldest Redis that has sharded publishing.
const OLDEST: u64 = 7;

/// How the cluster is tuned.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long a node's claims hold without being renewed.
    pub lease: Duration,
    /// How long they hold after a node has said goodbye: its users' grace.
    pub grace: Duration,
}

/// Redis is out of reach, or does not do what it is asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("Redis is out of reach")]
pub struct Unlinked;

/// What the cluster needs of the node that belongs to it.
#[async_trait]
pub trait Node: Send + Sync {
    /// A message of a topic came, in the order in which Redis has them. Called from the task that
    /// reads from Redis: it must not wait.
    fn heard(&self, message: Message);

    /// Says of all users how they stand here, under a new lease. Returns when that is said.
    async fn claim_all(&self);

    /// Takes back what was claimed under a lease that ended. Returns when that is said.
    async fn take_back(&self, ended: &Lease, users: Vec<UserId>, watches: Vec<(Cid, UserId)>);

    /// Looks again at everybody whom this node listens to, because something may have been missed, for
    /// so long at most if there was a link before.
    async fn look_again(&self, deaf: Option<Duration>);

    /// Whether anybody here needs what comes in the topic.
    fn needs(&self, topic: &Topic) -> bool;

    /// This node has no interest in the topic any more.
    fn forget(&self, topic: &Topic);

    /// What this node shows of others may be wrong from now on, or is right again.
    fn doubt(&self, in_doubt: bool);
}

/// How a user stands with all nodes together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub online: bool,
    /// Connected anywhere, and not hiding.
    pub in_sight: bool,
    /// Connected anywhere, invisible or not.
    pub connected: bool,
    /// Grows with each flip of the user; 0 for one of whom Redis knows nothing.
    pub seq: i64,
}

/// This node's place in the cluster. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Cluster {
    shared: Arc<Shared>,
}

struct Shared {
    addresses: Addresses,
    keys: Keys,
    id: NodeId,
    options: Options,
    metrics: Metrics,
    link: RwLock<Option<Link>>,
    /// Tells the keeper that the link is of no use any more.
    broken: Notify,
    leaving: watch::Sender<bool>,
    in_doubt: AtomicBool,
    topics: Mutex<Topics>,
    /// Whoever begins to listen reads, whoever ends it writes: they never overtake each other.
    gate: tokio::sync::RwLock<()>,
}

impl Cluster {
    /// Reads the addresses; nothing is connected yet. The nodes with the same API key are one cluster.
    pub fn new(urls: &str, api_key: &str, options: Options, metrics: Metrics) -> Result<Self, OpenError> {
        let addresses = Addresses::parse(urls)?;
        Ok(Self {
            shared: Arc::new(Shared {
                keys: Keys::new(api_key, addresses.database()),
                addresses,
                id: NodeId::random(),
                options,
                metrics,
                link: RwLock::default(),
                broken: Notify::new(),
                leaving: watch::Sender::new(false),
                in_doubt: AtomicBool::new(false),
                topics: Mutex::default(),
                gate: tokio::sync::RwLock::default(),
            }),
        })
    }

    /// Connects, and keeps connected until [`Cluster::leave`].
    pub async fn join(&self, node: Arc<dyn Node>) -> Result<(), OpenError> {
        keeper::start(self.clone(), node).await
    }

    /// Says goodbye: what is claimed holds for as long as users have to come back to another node.
    pub async fn leave(&self) {
        self.shared.leaving.send_replace(true);
        let Some(link) = self.link() else { return };
        let grace = self.shared.options.grace;
        if let Err(error) = lease::set(&link, &link.lease, grace).await {
            tracing::warn!(%error, "the lease could not be shortened: it ends by itself");
        }
        *self.shared.link.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub fn id(&self) -> NodeId {
        self.shared.id
    }

    /// Whether what this node shows of others may be wrong.
    pub fn in_doubt(&self) -> bool {
        self.shared.in_doubt.load(Ordering::Relaxed)
    }

    /// The way to Redis, while there is one.
    pub fn link(&self) -> Option<Link> {
        self.shared.link.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends commands and waits for their replies.
    pub async fn ask(&self, link: &Link, commands: &Pipeline) -> Result<Vec<Value>, Unlinked> {
        link.ask(commands).await.map_err(|error| {
            self.broke(link, &error);
            Unlinked
        })
    }

    /// The link cannot be relied upon: what was said may have been lost. A new one begins with
    /// saying everything.
    pub fn broke(&self, link: &Link, cause: &dyn std::fmt::Display) {
        let was_used = {
            let mut current = self.shared.link.write().unwrap_or_else(PoisonError::into_inner);
            current.take_if(|current| current.lease == link.lease).is_some()
        };
        // Waits for what is being heard, which may wait for somebody who asks for the link. And before anybody
        // learns that it broke: a new one hears nothing that this one still does.
        link.give_up();
        if was_used {
            tracing::warn!(%cause, "the link to Redis broke");
            self.shared.metrics.redis_errors.inc();
            self.shared.broken.notify_one();
        }
    }

    /// Listens to these topics from now on. Returns how the users among them stand to whom it did not
    /// listen before; their flips from then on are heard. `expect` is called before any of it, and none
    /// of the topics is forgotten in between.
    pub async fn listen(&self, wanted: &[Topic], expect: impl FnOnce()) -> Result<Vec<(UserId, Seen)>, Unlinked> {
        let _gate = self.shared.gate.read().await;
        expect();
        let new = self.topics().want(wanted, Instant::now());
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let link = self.link().ok_or(Unlinked)?;
        let seen = self.listen_over(&link, &new).await?;
        self.topics().hears(&new, &link.lease);
        Ok(seen)
    }

    async fn listen_over(&self, link: &Link, topics: &[Topic]) -> Result<Vec<(UserId, Seen)>, Unlinked> {
        let users: Vec<_> = topics.iter().filter_map(Topic::user).cloned().collect();
        let mut commands = link.subscription("SSUBSCRIBE", topics);
        link.look_up(&mut commands, &users);
        let replies = self.ask(link, &commands).await?;
        let looked_up = replies.into_iter().skip(topics.len()).map(connection::seen);
        Ok(users.into_iter().zip(looked_up).collect())
    }

    /// How these users stand.
    pub async fn look_up(&self, users: &[UserId]) -> Result<Vec<Seen>, Unlinked> {
        let link = self.link().ok_or(Unlinked)?;
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let mut commands = Pipeline::with_capacity(users.len());
        link.look_up(&mut commands, users);
        self.shared.metrics.lookups.inc_by(users.len() as u64);
        Ok(self.ask(&link, &commands).await?.into_iter().map(connection::seen).collect())
    }

    /// The users whom others see watching each of the channels, by id.
    pub async fn watchers(&self, cids: &[Cid]) -> Result<Vec<Vec<UserId>>, Unlinked> {
        let link = self.link().ok_or(Unlinked)?;
        if cids.is_empty() {
            return Ok(Vec::new());
        }
        let mut commands = Pipeline::with_capacity(cids.len());
        for cid in cids {
            commands.cmd("HKEYS").arg(link.keys.watchers(cid));
        }
        Ok(self.ask(&link, &commands).await?.into_iter().map(connection::names).collect())
    }

    /// Tells one topic. Returns how many nodes hear it.
    pub async fn send(&self, topic: &Topic, header: &Header) -> Result<i64, Unlinked> {
        let link = self.link().ok_or(Unlinked)?;
        let mut commands = Pipeline::new();
        link.publish(&mut commands, topic, header, "");
        match self.ask(&link, &commands).await?.first() {
            Some(Value::Int(hearers)) => Ok(*hearers),
            _ => Ok(0),
        }
    }

    /// The users whom this node listens to.
    pub fn listened_users(&self) -> Vec<UserId> {
        self.topics().users()
    }

    /// How long claims hold without being renewed.
    pub fn lease(&self) -> Duration {
        self.shared.options.lease
    }

    fn topics(&self) -> MutexGuard<'_, Topics> {
        self.shared.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
