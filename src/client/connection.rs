//! What the connection is doing.

use std::time::Duration;

use super::page::JsConnection;
use crate::core::Status;

/// What the connection is doing, and what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    pub status: Status,
    /// Whether a connection that is up may be dead, because a sign of life is overdue or was asked for;
    /// or its server says that it may be wrong about others.
    pub in_doubt: bool,
    /// How long until the next attempt, while waiting for it.
    pub next_try_in: Option<Duration>,
}

impl From<JsConnection> for Connection {
    fn from(connection: JsConnection) -> Self {
        let milliseconds = connection.next_try_in().filter(|milliseconds| *milliseconds >= 0.0);
        Self {
            status: match connection.state().as_str() {
                "connecting" => Status::Connecting,
                "connected" => Status::Connected,
                "waiting" => Status::WaitingToReconnect,
                _ => Status::Disconnected,
            },
            in_doubt: connection.in_doubt(),
            next_try_in: milliseconds.map(|milliseconds| Duration::from_millis(milliseconds as u64)),
        }
    }
}
