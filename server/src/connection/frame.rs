//! The frames that concern the connection itself.

use jiff::Timestamp;
use rollcall_protocol::event;
use serde::{Deserialize, Serialize};

use super::handshake::Extensions;
use crate::error::ApiError;
use crate::presence::ConnectionId;
use crate::store::{self, Unread, User};
use crate::wire::Me;

#[derive(Serialize)]
struct HealthCheck<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    connection_id: String,
    cid: &'static str,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    me: Option<Me<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    in_doubt: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rollcall: Vec<&'static str>,
}

impl HealthCheck<'_> {
    fn of(connection: ConnectionId) -> Self {
        Self {
            kind: event::HEALTH_CHECK,
            connection_id: connection.to_string(),
            cid: "*",
            created_at: store::now(),
            me: None,
            in_doubt: false,
            rollcall: Vec::new(),
        }
    }
}

/// The first frame of a connection, the only one with `me`.
pub fn hello(
    connection: ConnectionId,
    user: &User,
    unread: Unread,
    extensions: Extensions,
    in_doubt: bool,
) -> Result<String, ApiError> {
    let frame = HealthCheck {
        me: Some(Me::new(user, unread)),
        in_doubt: in_doubt && extensions.doubt,
        rollcall: extensions.names().collect(),
        ..HealthCheck::of(connection)
    };
    serde_json::to_string(&frame).map_err(|error| ApiError::internal(&error))
}

/// Every other health check.
pub fn health_check(connection: ConnectionId) -> String {
    let frame = HealthCheck::of(connection);
    serde_json::to_string(&frame).unwrap_or_default()
}

/// Whether a client's text asks for a health check: `{"type":"health.check"}` with whatever
/// else, an array of that, or nothing at all. Each SDK has its own way.
pub fn is_keep_alive(text: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Frame {
        One(Typed),
        Many(Vec<Typed>),
    }
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        kind: String,
    }
    let is_health_check = |frame: &Typed| frame.kind == event::HEALTH_CHECK;
    text.trim().is_empty()
        || match serde_json::from_str(text) {
            Ok(Frame::One(frame)) => is_health_check(&frame),
            Ok(Frame::Many(frames)) => frames.iter().any(is_health_check),
            Err(_) => false,
        }
}
