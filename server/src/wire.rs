//! The JSON shapes of the protocol, borrowed from the records they show.
//!
//! What may be seen of a user is decided here, once: [`User::public`] never holds an own-only
//! field, so no endpoint and no event can leak one.

mod channel;
mod event;
pub mod inspection;
mod member;
mod message;
mod user;

pub use channel::{Channel, ChannelState, ReadState};
pub use event::{Deletion, Event, Explanation, Place, Unread};
pub use member::Member;
pub use message::Message;
pub use user::{Me, User};
