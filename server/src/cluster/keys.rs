//! What things are called in Redis. All that one script touches has the same hash tag.

use std::fmt::Display;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Lease, NodeId};
use crate::presence::{Cid, UserId};

/// Into so many parts users and channels are divided, each of them in one place.
pub const PARTS: u32 = 256;

/// What a node may listen to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    User(UserId),
    Channel(Cid),
    /// What is for one node.
    Node(NodeId),
    /// What is for all of them.
    Nodes,
}

impl Topic {
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::User(user) => Some(user),
            Self::Channel(_) | Self::Node(_) | Self::Nodes => None,
        }
    }
}

/// The keys of one application: several may share a Redis and hear nothing of each other.
#[derive(Clone, Debug)]
pub struct Keys {
    /// What they begin with, outside the hash tag.
    prefix: Arc<str>,
}

impl Keys {
    /// Those of the application with this API key, in the database with this number: what is published reaches
    /// all databases of a Redis.
    pub fn new(api_key: &str, database: i64) -> Self {
        let [a, b, c, d, ..] = Sha256::digest(format!("{database}:{api_key}")).0;
        Self { prefix: format!("rollcall:{:08x}:", u32::from_be_bytes([a, b, c, d])).into() }
    }

    /// The channel of publish and subscribe. A user's and a channel's is also their key.
    pub fn topic(&self, topic: &Topic) -> String {
        match topic {
            Topic::User(user) => self.user(user),
            Topic::Channel(cid) => self.watchers(cid),
            Topic::Node(id) => format!("{}{{{id}}}node", self.prefix),
            Topic::Nodes => self.of_nodes("all"),
        }
    }

    /// A hash: which node claims what of the user, and what follows from that.
    pub fn user(&self, id: &str) -> String {
        self.in_part(part(id), "user", id)
    }

    /// A hash: who is seen watching the channel, and on which nodes.
    pub fn watchers(&self, cid: &str) -> String {
        self.in_part(part(cid), "channel", cid)
    }

    /// A set: of whom in this part something is claimed under the lease.
    pub fn claimed(&self, part: u32, lease: &Lease) -> String {
        self.in_part(part, "of", lease)
    }

    /// A set: who is said to watch which channel of this part under the lease.
    pub fn watched(&self, part: u32, lease: &Lease) -> String {
        self.in_part(part, "watched", lease)
    }

    /// Is there when nothing can be claimed in this part under the lease any more.
    pub fn swept(&self, part: u32, lease: &Lease) -> String {
        self.in_part(part, "swept", lease)
    }

    /// A sorted set: the leases, by when they end.
    pub fn leases(&self) -> String {
        self.of_nodes("leases")
    }

    /// A sorted set: leases that ended and are not cleared up, by when to try that again.
    pub fn ended(&self) -> String {
        self.of_nodes("ended")
    }

    fn in_part(&self, part: u32, what: &str, of: impl Display) -> String {
        format!("{}{{p{part}}}{what}:{of}", self.prefix)
    }

    fn of_nodes(&self, what: &str) -> String {
        format!("{}{{nodes}}{what}", self.prefix)
    }
}

/// Which part somebody belongs to, the same on all nodes and in all versions: FNV-1a.
pub fn part(id: &str) -> u32 {
    id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)) % PARTS
}

/// Reads an entry of [`Keys::watched`].
pub fn parse_watched(entry: &str) -> Option<(Cid, UserId)> {
    // Neither has a space in it.
    let (user, cid) = entry.split_once(' ')?;
    Some((Arc::from(cid), Arc::from(user)))
}
