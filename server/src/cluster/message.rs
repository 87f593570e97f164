//! What nodes say to each other: a line of JSON that says what it is, and an event.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tungstenite::Utf8Bytes;

use super::NodeId;
use crate::bus::{Audience, Event};
use crate::presence::{Cid, UserId};
use crate::store::Timestamp;

/// What came in a topic.
#[derive(Clone, Debug)]
pub struct Message {
    pub header: Header,
    /// An event's JSON, where there is one.
    pub body: Utf8Bytes,
}

/// What a message is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Header {
    /// Somebody came online or went offline.
    Flip(Flip),
    /// Somebody began or ended to watch a channel.
    Watching(Watching),
    /// An event for some connections.
    Event {
        audience: Audience,
    },
    Order(Order),
    /// Something that only one node can do or answer.
    Ask {
        id: u64,
        from: NodeId,
        question: Question,
    },
    Answer {
        id: u64,
        answer: Value,
    },
    /// Nobody waits for the answer any more.
    Cancel {
        id: u64,
        from: NodeId,
    },
}

/// A flip of a user, as the whole cluster sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flip {
    pub user: UserId,
    pub online: bool,
    /// When the node noticed, in microseconds since 1970.
    pub at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_heard_at: Option<Timestamp>,
    /// The last field: the script completes it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seq: i64,
}

/// How many others see watching the channel now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Watching {
    pub cid: Cid,
    /// The last field: the script completes it.
    #[serde(default, skip_serializing)]
    pub watcher_count: usize,
}

/// What every node has to do whom it concerns, the one that says it included.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The user's profile was changed by that node; others may see a difference, or only the user.
    Changed { by: NodeId, user: UserId, visibly: bool },
    /// The user does not belong to the channel any more.
    Evict { user: UserId, cid: Cid },
    /// The user's connections end, with this close code, and nobody waits for them.
    Expel { user: UserId, code: u16 },
    /// The same of everybody.
    ExpelAll { code: u16 },
    /// The channel is gone.
    Forget { cid: Cid },
    /// That node could not say in time who may not be here, or watch what, any more: it is read again.
    CheckRights { by: NodeId },
}

/// What is asked of the node that has a connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Whose connection it is.
    Owner { connection: String },
    /// Subscribes it to the presence of users, each list for a channel or for none.
    Subscribe { connection: String, wanted: Vec<(Option<Cid>, Vec<UserId>)> },
    /// It watches the channels.
    Watch { connection: String, cids: Vec<Cid> },
    /// It stops watching the channel.
    StopWatching { connection: String, cid: Cid },
    /// The events that wait for a long-poll session, or come soon.
    Poll { connection: String },
    /// The long-poll session ends.
    ClosePoll { connection: String },
}

impl Message {
    pub fn parse(text: &str) -> Option<Self> {
        let (header, body) = text.split_once('\n')?;
        Some(Self { header: serde_json::from_str(header).ok()?, body: body.into() })
    }
}

impl Header {
    pub fn to_text(&self) -> String {
        // Strings and numbers: nothing that JSON cannot hold.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Up to the number that a script adds as its last field.
    pub fn head(&self, field: &str) -> String {
        let text = self.to_text();
        format!("{},\"{field}\":", text.strip_suffix("}}").unwrap_or(&text))
    }
}

impl Flip {
    /// The flip's event, explained, as this node delivers it.
    pub fn event(&self, body: &Utf8Bytes, now: Timestamp) -> serde_json::Result<Event> {
        #[derive(Serialize)]
        struct Explanation<'a> {
            seq: i64,
            #[serde(skip_serializing_if = "Option::is_none")]
            reason: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            last_heard_at: Option<Timestamp>,
        }
        let age = Duration::from_micros(u64::try_from(now.as_microsecond() - self.at).unwrap_or_default());
        let event = Event {
            json: body.clone(),
            explained: None,
            presence_of: Some(self.user.clone()),
            flipped_at: Instant::now().checked_sub(age),
        };
        let Self { seq, reason, last_heard_at, .. } = self;
        event.explained(&Explanation { seq: *seq, reason: reason.as_deref(), last_heard_at: *last_heard_at })
    }
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}
