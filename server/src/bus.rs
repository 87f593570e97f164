//! How an event reaches the connections it is for, wherever they are.

pub mod local;
pub mod redis;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tungstenite::Utf8Bytes;
use uuid::Uuid;

use crate::cluster::{Lease, Order};
use crate::presence::registry::Claim;
use crate::presence::{Cid, UserId};
use crate::store::Timestamp;
use crate::wire::Explanation;

/// An event as it goes out: serialised once, shared by everyone it is delivered to.
#[derive(Clone, Debug)]
pub struct Event {
    /// The event's JSON object.
    pub json: Utf8Bytes,
    /// The same with what only those are told who asked for reasons, if there is any.
    pub explained: Option<Utf8Bytes>,
    /// The user whose whole presence it tells: within a batch, a newer one makes it superfluous.
    pub presence_of: Option<UserId>,
    /// When the flip that it tells happened, if it tells one.
    pub flipped_at: Option<Instant>,
}

impl Event {
    /// The event with more fields, which are about those it is for; the rest is not serialised again.
    pub fn with(&self, fields: &impl Serialize) -> Result<Self, serde_json::Error> {
        let more = serde_json::to_string(fields)?;
        let joined = |json: &Utf8Bytes| joined(json, &more);
        Ok(Self { json: joined(&self.json), explained: self.explained.as_ref().map(joined), ..self.clone() })
    }

    /// The event with an explanation for those who asked for one.
    pub fn explained(&self, explanation: &impl Serialize) -> Result<Self, serde_json::Error> {
        let more = serde_json::to_string(explanation)?;
        Ok(Self { explained: Some(joined(&self.json, &more)), ..self.clone() })
    }

    /// What goes to a connection, which asked for reasons or did not.
    pub fn text(&self, explained: bool) -> &Utf8Bytes {
        self.explained.as_ref().filter(|_| explained).unwrap_or(&self.json)
    }
}

/// Two JSON objects as one.
fn joined(json: &Utf8Bytes, more: &str) -> Utf8Bytes {
    match (json.strip_suffix('}'), more.strip_prefix('{')) {
        (Some(all), Some(more)) if all.len() > 1 && more.len() > 1 => format!("{all},{more}").into(),
        _ => json.clone(),
    }
}

/// Whom an event is for. One copy a connection, however many reasons it has to get it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The connections subscribed to the user's presence, and the user's own.
    Presence(UserId),
    /// The users' own connections.
    Users(Vec<UserId>),
    /// The connections that watch the channel.
    Channel(Cid),
    /// The connections that watch the channel, except those of its `members`.
    Onlookers { cid: Cid, members: HashSet<UserId> },
    /// Of the users' connections those that watch the channel.
    Inside { cid: Cid, users: Vec<UserId> },
    /// Of the users' connections those that do not watch the channel (`notification.*`).
    Outside { cid: Cid, users: Vec<UserId> },
}

/// An event and whom it is for: all a node needs to deliver it.
#[derive(Clone, Debug)]
pub struct Envelope {
    pub audience: Audience,
    pub event: Event,
}

/// What a node has to tell.
#[derive(Clone, Debug)]
pub enum News {
    /// An event that is complete.
    Event(Envelope),
    Stands(Stands),
    Watches(Watches),
    /// The user's profile changed. Each node tells its own connections, as it sees the user there.
    Updated(Updated),
    /// This node missed how the user stands now: it tells its own connections, if they still do not know.
    Missed(Missed),
    /// What other nodes have to do.
    Order(Order),
}

/// How a user stands with a node from now on.
#[derive(Clone, Debug)]
pub struct Stands {
    pub user: UserId,
    pub claim: Claim,
    /// The node that is spoken for, if it is one that has ended.
    pub ended: Option<Lease>,
    /// What is told if the user comes or goes with that.
    pub event: Option<Event>,
    pub explanation: Explanation,
    /// The flip's, if it is one.
    pub id: Uuid,
}

/// That a user whom others see begins or ends to watch a channel on a node.
#[derive(Clone, Debug)]
pub struct Watches {
    pub user: UserId,
    pub cid: Cid,
    pub begins: bool,
    /// The node that is spoken for, if it is one that has ended.
    pub ended: Option<Lease>,
    /// What those who watch are told if it is the first or the last node, if anything; without `watcher_count`.
    pub event: Option<Event>,
    /// How many watch then, by what this node knows.
    pub watcher_count: usize,
}

/// `user.updated`.
#[derive(Clone, Debug)]
pub struct Updated {
    pub user: UserId,
    /// When the profile that is told was written.
    pub written: Timestamp,
    pub event: Either,
    /// How the user stood with this node when the profile changed.
    pub is_online: bool,
}

/// `user.presence.changed`.
#[derive(Clone, Debug)]
pub struct Missed {
    pub user: UserId,
    pub event: Either,
}

/// An event for those who see the user online, and for those who do not.
#[derive(Clone, Debug)]
pub struct Either {
    pub online: Event,
    pub offline: Event,
}

impl Either {
    pub fn of(&self, online: bool) -> &Event {
        if online { &self.online } else { &self.offline }
    }
}

/// Takes what the bus brings to this node.
pub type Sink = Arc<dyn Fn(&Envelope) + Send + Sync>;

/// Carries what happens on a node to all nodes, in the order in which it happened there.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Returns the flips that this made: who came online or went offline for everybody, by their
    /// places in `news`. What is for this node's connections is in their queues by then.
    async fn tell(&self, news: &[News]) -> Vec<usize>;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_added_to_what_is_serialised() {
        let event = |json: &str| Event { json: json.into(), explained: None, presence_of: None, flipped_at: None };
        let added = |to: &str, fields| event(to).with(&fields).unwrap().json.to_string();
        assert_eq!(added(r#"{"a":1}"#, json!({ "b": 2 })), r#"{"a":1,"b":2}"#);
        assert_eq!(added(r#"{"a":1}"#, json!({})), r#"{"a":1}"#);
    }
}
