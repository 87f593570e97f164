//! The states of the connection, each holding just what it needs.

use super::CONNECT_DEADLINE;
use super::io::Millis;
use rollcall_protocol::timing;

/// What the connection is doing, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Disconnected,
    Connecting,
    Connected,
    WaitingToReconnect,
}

/// What the connection is doing, for anyone who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionState {
    pub status: Status,
    /// When that began.
    pub since: Millis,
    /// Whether a connection that is up may be dead, because a sign of life is overdue or was asked for;
    /// or its server says that it may be wrong about others.
    pub in_doubt: bool,
    /// When the next attempt begins, while waiting for it.
    pub next_try: Option<Millis>,
    /// When the server was last heard, on this connection or the one before.
    pub last_heard: Option<Millis>,
}

#[derive(Debug)]
pub(super) enum Connection {
    Disconnected,
    Connecting {
        deadline: Millis,
        opening: Opening,
    },
    /// `unsure`: the server says that it may be wrong about others.
    Connected {
        id: String,
        last_heard: Millis,
        pulse: Pulse,
        unsure: bool,
    },
    WaitingToReconnect {
        until: Millis,
        opening: Opening,
    },
}

/// Whether the app still waits for `connectUser`, or was connected before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Opening {
    First { give_up_at: Millis },
    Again,
}

impl Opening {
    pub(super) fn give_up_at(self) -> Option<Millis> {
        match self {
            Opening::First { give_up_at } => Some(give_up_at),
            Opening::Again => None,
        }
    }

    /// The page could not run when it should have given up: it begins anew.
    pub(super) fn forgive(&mut self, now: Millis) {
        if let Opening::First { give_up_at } = self
            && now >= *give_up_at
        {
            *give_up_at = now + CONNECT_DEADLINE;
        }
    }
}

/// Whether the open socket is believed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pulse {
    Sure {
        next_check: Millis,
    },
    /// A health check is out, and the connection is lost unless the answer arrives in time; where
    /// the doubt is but the silence, anything will do.
    InDoubt {
        deadline: Millis,
        probed: bool,
    },
}

impl Connection {
    pub(super) fn status(&self) -> Status {
        match self {
            Connection::Disconnected => Status::Disconnected,
            Connection::Connecting { .. } => Status::Connecting,
            Connection::Connected { .. } => Status::Connected,
            Connection::WaitingToReconnect { .. } => Status::WaitingToReconnect,
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        matches!(self, Connection::Connected { .. })
    }

    /// When something was last heard, while connected and with no reason for doubt.
    pub(super) fn trusted(&self) -> Option<Millis> {
        match self {
            Connection::Connected { last_heard, unsure: false, .. } if self.is_alive() => Some(*last_heard),
            _ => None,
        }
    }

    /// Whether it is up, and taken for alive.
    pub(super) fn is_alive(&self) -> bool {
        matches!(self, Connection::Connected { pulse: Pulse::Sure { .. }, .. })
    }

    pub(super) fn has_socket(&self) -> bool {
        matches!(self, Connection::Connecting { .. } | Connection::Connected { .. })
    }

    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Connection::Connected { id, .. } => Some(id),
            _ => None,
        }
    }

    /// What an attempt in progress is for; a connection that is up would be opened again.
    pub(super) fn opening(&self) -> Option<Opening> {
        match self {
            Connection::Connecting { opening, .. } | Connection::WaitingToReconnect { opening, .. } => Some(*opening),
            Connection::Connected { .. } => Some(Opening::Again),
            Connection::Disconnected => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Millis> {
        match *self {
            Connection::Disconnected => None,
            Connection::Connecting { deadline, opening } => {
                Some(opening.give_up_at().map_or(deadline, |at| deadline.min(at)))
            }
            Connection::WaitingToReconnect { until, .. } => Some(until),
            Connection::Connected { pulse: Pulse::InDoubt { deadline, .. }, .. } => Some(deadline),
            Connection::Connected { last_heard, pulse: Pulse::Sure { next_check }, .. } => {
                Some(next_check.min(last_heard + timing::DOUBT_AFTER))
            }
        }
    }
}
