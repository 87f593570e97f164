//! What things are called in Redis. All that one script touches has the same hash tag.

use std::sync::Arc;

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
    /// The channel of publish and subscribe. A user's and a channel's is also their key.
    pub fn name(&self) -> String {
        match self {
            Self::User(user) => self::user(user),
            Self::Channel(cid) => watchers(cid),
            Self::Node(id) => format!("rollcall:{{{id}}}node"),
            Self::Nodes => NODES.to_owned(),
        }
    }

    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::User(user) => Some(user),
            Self::Channel(_) | Self::Node(_) | Self::Nodes => None,
        }
    }
}

/// A hash: which node claims what of the user, and what follows from that.
pub fn user(id: &str) -> String {
    format!("rollcall:{{p{}}}user:{id}", part(id))
}

/// A hash: who is seen watching the channel, and on which nodes.
pub fn watchers(cid: &str) -> String {
    format!("rollcall:{{p{}}}channel:{cid}", part(cid))
}

/// A set: of whom in this part something is claimed under the lease.
pub fn claimed(part: u32, lease: &Lease) -> String {
    format!("rollcall:{{p{part}}}of:{lease}")
}

/// A set: who is said to watch which channel of this part under the lease.
pub fn watched(part: u32, lease: &Lease) -> String {
    format!("rollcall:{{p{part}}}watched:{lease}")
}

/// Is there when nothing can be claimed in this part under the lease any more.
pub fn swept(part: u32, lease: &Lease) -> String {
    format!("rollcall:{{p{part}}}swept:{lease}")
}

/// A channel of publish and subscribe that all nodes listen to.
const NODES: &str = "rollcall:{nodes}all";
/// A sorted set: the leases, by when they end.
pub const LEASES: &str = "rollcall:{nodes}leases";
/// A sorted set: leases that ended and are not cleared up, by when to try that again.
pub const ENDED: &str = "rollcall:{nodes}ended";

/// Which part somebody belongs to, the same on all nodes and in all versions: FNV-1a.
pub fn part(id: &str) -> u32 {
    id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)) % PARTS
}

/// Reads an entry of [`watched`].
pub fn parse_watched(entry: &str) -> Option<(Cid, UserId)> {
    // Neither has a space in it.
    let (user, cid) = entry.split_once(' ')?;
    Some((Arc::from(cid), Arc::from(user)))
}
