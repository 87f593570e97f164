//! What a caller asks for: filters and sorts of the protocol, parsed and checked.
//!
//! JSON comes in, a typed tree goes out; what the tree means in SQL is the store's business. Every
//! resource has an enum of its fields and one table that says what may be asked of each; a name
//! that is not in the table is a custom field.

mod error;
mod field;
mod filter;
mod parse;
mod path;
mod sort;
mod words;

pub use error::QueryError;
pub use field::{ChannelField, Field, Kind, MemberField, Operator, Rule, UserField};
pub use filter::{Filter, Order, Test, Value};
pub use path::Path;
pub use sort::Sort;
pub use words::words;

use rollcall_protocol::limits;

/// How large a filter may be, lest one caller's question keeps the database busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Levels of `$and`, `$or` and `$nor`.
    pub depth: usize,
    /// Conditions in the whole filter.
    pub conditions: usize,
    /// Values listed in the whole filter.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 10, conditions: 100, values: 1000 }
    }
}

/// A field built into the resource, or one that applications add.
#[derive(Clone, Debug, PartialEq)]
pub enum Target<F> {
    Builtin(F),
    Custom(Path),
}

/// Bounds on users' ids, for paging through all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdRange {
    pub gt: Option<String>,
    pub gte: Option<String>,
    pub lt: Option<String>,
    pub lte: Option<String>,
}

impl IdRange {
    /// Whether there is no bound at all.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }
}

/// A page of users. Deleted users are never in it.
#[derive(Clone, Debug, PartialEq)]
pub struct UserQuery {
    pub filter: Filter<UserField>,
    /// Without entries: newest first; by id, when there is an id range. Ties are broken by id.
    pub sort: Vec<Sort<UserField>>,
    pub ids: IdRange,
    pub include_deactivated: bool,
    pub limit: u32,
    pub offset: u32,
}

/// A page of channels. Deleted channels are never in it.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelQuery {
    pub filter: Filter<ChannelField>,
    /// Without entries: the one where something happened last comes first. Ties are broken by cid.
    pub sort: Vec<Sort<ChannelField>>,
    /// Whose view it is. Fields such as `hidden` and `joined` are about this user; without one
    /// they are as for somebody who is no member. Channels the viewer hid are left out unless the
    /// filter names `hidden`.
    pub viewer: Option<String>,
    pub limit: u32,
    pub offset: u32,
}

/// A page of one channel's members.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberQuery {
    pub cid: String,
    pub filter: Filter<MemberField>,
    /// Without entries: the order in which they joined. Ties are broken by user id.
    pub sort: Vec<Sort<MemberField>>,
    pub ids: IdRange,
    pub limit: u32,
    pub offset: u32,
}

impl Default for UserQuery {
    fn default() -> Self {
        Self {
            filter: Filter::default(),
            sort: Vec::new(),
            ids: IdRange::default(),
            include_deactivated: false,
            limit: limits::USERS_DEFAULT as u32,
            offset: 0,
        }
    }
}

impl Default for ChannelQuery {
    fn default() -> Self {
        Self {
            filter: Filter::default(),
            sort: Vec::new(),
            viewer: None,
            limit: limits::CHANNELS_DEFAULT as u32,
            offset: 0,
        }
    }
}

impl MemberQuery {
    /// The first members of the channel.
    pub fn of(cid: impl Into<String>) -> Self {
        Self {
            cid: cid.into(),
            filter: Filter::default(),
            sort: Vec::new(),
            ids: IdRange::default(),
            limit: limits::MEMBERS_PER_CHANNEL_QUERY as u32,
            offset: 0,
        }
    }
}
