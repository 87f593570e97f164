//! The answer to the question why somebody is online: our own shape.

use serde::Serialize;

use crate::store::Timestamp;

/// What others see of a user, and what it follows from.
#[derive(Serialize)]
pub struct Inspection {
    pub online: bool,
    pub why: Why,
    pub connections: Vec<Connection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<Grace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// Newest first.
    pub history: Vec<Step>,
}

/// What decides what others see.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Online: a connection lives.
    Connected,
    /// Online: the last connection ended, or hid, a moment ago.
    Grace,
    /// Offline: the user is there, and hides.
    Invisible,
    /// Offline: the user came and went too often, and has to stay for a while.
    HeldBack,
    /// Offline: there is no connection.
    Away,
}

#[derive(Serialize)]
pub struct Connection {
    pub id: String,
    pub transport: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<Box<str>>,
    pub opened_at: Timestamp,
    pub last_heard_at: Timestamp,
}

#[derive(Serialize)]
pub struct Grace {
    pub until: Timestamp,
    /// How the last connection ended.
    pub after: &'static str,
}

#[derive(Serialize)]
pub struct Step {
    pub at: Timestamp,
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}
