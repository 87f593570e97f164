//! How an event reaches the connections it is for, wherever they are.

pub mod local;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::ws::Utf8Bytes;
use serde::Serialize;

use crate::presence::{Cid, UserId};

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
        let joined = |json: &Utf8Bytes| match (json.strip_suffix('}'), more.strip_prefix('{')) {
            (Some(all), Some(more)) if all.len() > 1 && more.len() > 1 => format!("{all},{more}").into(),
            _ => json.clone(),
        };
        Ok(Self { json: joined(&self.json), explained: self.explained.as_ref().map(joined), ..self.clone() })
    }

    /// What goes to a connection, which asked for reasons or did not.
    pub fn text(&self, explained: bool) -> &Utf8Bytes {
        self.explained.as_ref().filter(|_| explained).unwrap_or(&self.json)
    }
}

/// Whom an event is for. One copy a connection, however many reasons it has to get it.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Takes what the bus brings to this node.
pub type Sink = Arc<dyn Fn(&Envelope) + Send + Sync>;

/// Carries events to every node, in the order in which one node published them.
pub trait Bus: Send + Sync {
    fn publish(&self, envelope: Envelope);
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
