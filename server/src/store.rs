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
mod members;
mod messages;
mod users;

pub use app::{AppStore, Task, TaskStatus};
pub use change::{Change, Custom, CustomChange, Written};
pub use channels::{Channel, ChannelChange, ChannelStore, NewChannel, Opened};
pub use error::StoreError;
pub use jiff::Timestamp;
pub use members::{Invite, Member, MemberChange, MemberStore, NewMember, Read, Unread};
pub use messages::{Message, MessageChange, MessagePage, MessageStore, NewMessage};
pub use users::{User, UserChange, UserStore};

/// Everything a database has to do for the server. Import the trait of the noun to call it.
pub trait Store: UserStore + ChannelStore + MemberStore + MessageStore + AppStore {}

impl<S> Store for S where S: UserStore + ChannelStore + MemberStore + MessageStore + AppStore {}

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
