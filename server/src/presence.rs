//! Who is connected, who counts as online, and who watches whom.
//!
//! Pure state: time comes in as an argument, what is to be told comes out. Nothing here knows
//! a socket, a database or a clock; [`crate::hub`] drives it.

pub mod journal;
mod numbered;
pub mod registry;
pub mod rules;
pub mod watchers;

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

/// A user's id, cheap to clone.
pub type UserId = Arc<str>;
/// A channel's `type:id`, cheap to clone.
pub type Cid = Arc<str>;

/// One live connection of one user: a socket or a long-poll session. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(Uuid);

impl ConnectionId {
    /// A new id that nobody can guess.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// A new id that says which node has the connection, and that nobody can guess.
    pub fn on(node: u32) -> Self {
        let random = Uuid::new_v4();
        let (_, middle, high, rest) = random.as_fields();
        Self(Uuid::from_fields(node, middle, high, rest))
    }

    /// The node that has the connection.
    pub fn node(self) -> u32 {
        self.0.as_fields().0
    }

    /// Reads what a client sent back; `None` when it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
