//! What is known of a connection besides whose it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::auth::Issued;

/// What a client says of itself is kept up to this many bytes.
const KEPT: usize = 160;

/// How events reach a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    #[default]
    WebSocket,
    LongPoll,
}

/// Where a connection comes from, as far as its client says so.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub transport: Transport,
    /// Its SDK, as in `X-Stream-Client`.
    pub client: Option<Box<str>>,
    pub user_agent: Option<Box<str>>,
    /// Whether it asked to be told when what is shown of others may be wrong.
    pub hears_doubt: bool,
}

impl Origin {
    pub fn new(client: Option<&str>, user_agent: Option<&str>) -> Self {
        let short = |text: &str| Box::from(&text[..text.floor_char_boundary(KEPT)]);
        Self { client: client.map(short), user_agent: user_agent.map(short), ..Self::default() }
    }
}

/// One connection, from its beginning on.
#[derive(Debug)]
pub(super) struct Visit {
    pub origin: Origin,
    pub issued_at: Issued,
    pub opened: Instant,
    /// Milliseconds from the beginning to the last sign of life. The connection's task writes them
    /// without the hub's lock.
    heard_after: AtomicU64,
}

impl Visit {
    pub fn new(origin: Origin, issued_at: Issued) -> Self {
        Self { origin, issued_at, opened: Instant::now(), heard_after: AtomicU64::new(0) }
    }

    pub fn heard(&self, now: Instant) {
        let after = now.saturating_duration_since(self.opened).as_millis();
        self.heard_after.store(u64::try_from(after).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn last_heard(&self) -> Instant {
        self.opened + Duration::from_millis(self.heard_after.load(Ordering::Relaxed))
    }
}
