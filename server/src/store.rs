//! What outlives the process: users, channels, members, messages.
//!
//! The traits are split by noun and joined in [`Store`], so that the rest of the server holds one
//! `Arc<dyn Store>` and never learns which database is behind it. Every write is one transaction:
//! it happens whole, or not at all, and once acknowledged it survives the process being killed.
//!
//! The store keeps what it is told. Who may write what, and who may see what, is decided above it;
//! a record therefore holds own-only fields such as [`User::invisible`].

mod app;
mod change;
mod channels;
mod error;
mod filter;
mod flips;
mod members;
mod messages;
mod migrations;
mod postgres;
mod row;
mod source;
mod sql;
mod sqlite;
mod users;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rollcall_protocol::limits;

pub use app::{AppStore, Task, TaskStatus};
pub use change::{Change, Custom, CustomChange, Written};
pub use channels::{Channel, ChannelChange, ChannelStore, NewChannel, Opened};
pub use error::StoreError;
pub use flips::{Flip, FlipStore};
pub use jiff::Timestamp;
pub use members::{Invite, Member, MemberChange, MemberStore, NewMember, Read, Unread};
pub use messages::{Message, MessageChange, MessagePage, MessageStore, NewMessage};
pub use users::{Sighting, User, UserChange, UserStore};

/// Everything a database has to do for the server.
pub trait Store: UserStore + ChannelStore + MemberStore + MessageStore + FlipStore + AppStore {}

impl<S> Store for S where S: UserStore + ChannelStore + MemberStore + MessageStore + FlipStore + AppStore {}

/// What the store refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a record's custom data, as JSON.
    pub custom_data_bytes: usize,
    /// How long one query may take before it is stopped, for few connections serve everybody; 0 for
    /// any time.
    pub query_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { custom_data_bytes: limits::CUSTOM_DATA_BYTES, query_time: Duration::from_secs(5) }
    }
}

/// Opens the store this URL names: `sqlite://path` (made when it is not there),
/// `postgres://user:password@host/name` (where several servers may be at work), or
/// `sqlite::memory:`, which is forgotten with the process.
pub async fn open(url: &str, limits: Limits) -> Result<Arc<dyn Store>> {
    match url.split_once(':') {
        Some(("sqlite", _)) => Ok(Arc::new(sqlite::SqliteStore::open(url, limits).await?)),
        Some(("postgres" | "postgresql", _)) => Ok(Arc::new(postgres::PostgresStore::open(url, limits).await?)),
        // The rest of an URL may hold a password, so the error names the scheme only.
        other => {
            let scheme = other.map_or("", |(scheme, _)| scheme);
            let reason = format!("no database is called {scheme:?}, write sqlite://path or postgres://host/name");
            Err(StoreError::database(reason))
        }
    }
}

/// Copies the database of this URL, as it is at one moment, to the file `to`, which must not be
/// there. A server may be running on it.
pub async fn backup(url: &str, to: &Path) -> Result<()> {
    match url.split_once(':') {
        Some(("sqlite", _)) => sqlite::backup(url, to).await,
        Some(("postgres" | "postgresql", _)) => Err(StoreError::database("Postgres is backed up by pg_dump")),
        _ => Err(StoreError::database("only sqlite://path is backed up this way")),
    }
}

/// The outcome of every operation of the store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The time, in the precision the store keeps: what is written now reads back equal.
pub fn now() -> Timestamp {
    to_micros(Timestamp::now())
}

/// `time` cut to whole microseconds.
fn to_micros(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}
