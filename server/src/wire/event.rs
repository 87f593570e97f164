use jiff::Timestamp;
use rollcall_protocol::event;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Channel, Member, Message, User};
use crate::bus;

/// An event: its type, and those of the fields that this type carries.
///
/// Start from [`Event::new`] or [`Event::in_channel`] and set the fields by struct update.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Event<'a> {
    #[serde(rename = "type")]
    pub kind: &'a str,
    pub created_at: Timestamp,
    #[serde(flatten)]
    pub place: Option<Place<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<Member<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_member_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_read_message_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watcher_count: Option<usize>,
    #[serde(flatten)]
    pub unread: Option<Unread>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clear_history: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_doubt: Option<bool>,
    #[serde(flatten)]
    pub deletion: Option<Deletion>,
    /// What a custom event carries.
    #[serde(flatten)]
    pub custom: Option<&'a Map<String, Value>>,
}

/// The channel an event belongs to.
#[derive(Clone, Debug, Serialize)]
pub struct Place<'a> {
    cid: &'a str,
    channel_type: &'a str,
    channel_id: &'a str,
}

/// What the one who gets the event has not read.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Unread {
    unread_count: u32,
    total_unread_count: u32,
    unread_channels: u32,
}

impl From<crate::store::Unread> for Unread {
    fn from(unread: crate::store::Unread) -> Self {
        Self { unread_count: unread.messages, total_unread_count: unread.messages, unread_channels: unread.channels }
    }
}

/// How a user was deleted.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Deletion {
    pub hard_delete: bool,
    pub mark_messages_deleted: bool,
    pub delete_conversation_channels: bool,
}

/// What there is to say about a flip, to those who asked for it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Explanation {
    /// Greater than that of every flip before.
    pub seq: i64,
    /// Why the user went offline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// When a user who went offline last gave a sign of life, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_heard_at: Option<Timestamp>,
}

impl<'a> Event<'a> {
    /// An event that belongs to no channel.
    pub fn new(kind: &'a str, created_at: Timestamp) -> Self {
        Self { kind, created_at, ..Self::default() }
    }

    /// An event of the channel `cid`, which is `type:id`.
    pub fn in_channel(kind: &'a str, cid: &'a str, created_at: Timestamp) -> Self {
        let (channel_type, channel_id) = cid.split_once(':').unwrap_or((cid, ""));
        Self { place: Some(Place { cid, channel_type, channel_id }), ..Self::new(kind, created_at) }
    }

    /// The same event under another name.
    pub fn renamed(self, kind: &'a str) -> Self {
        Self { kind, ..self }
    }

    /// `user.presence.changed`: `user` came or went.
    pub fn presence_changed(user: User<'a>, created_at: Timestamp) -> Self {
        Self { user: Some(user), ..Self::new(event::USER_PRESENCE_CHANGED, created_at) }
    }

    /// `user.updated`: what `user` says of themselves changed.
    pub fn user_updated(user: User<'a>, created_at: Timestamp) -> Self {
        Self { user: Some(user), ..Self::new(event::USER_UPDATED, created_at) }
    }

    /// `connection.doubt`: what this connection is shown of others may be wrong, or is right again.
    pub fn doubt(in_doubt: bool, created_at: Timestamp) -> Self {
        Self { in_doubt: Some(in_doubt), ..Self::new(event::CONNECTION_DOUBT, created_at) }
    }

    /// The event as it goes out, serialised once for everyone it is for.
    pub fn serialize(&self) -> Result<bus::Event, serde_json::Error> {
        let flip = self.kind == event::USER_PRESENCE_CHANGED;
        Ok(bus::Event {
            json: serde_json::to_string(self)?.into(),
            explained: None,
            flipped_at: None,
            presence_of: match &self.user {
                Some(user) if flip => Some(user.id.into()),
                _ => None,
            },
        })
    }
}
