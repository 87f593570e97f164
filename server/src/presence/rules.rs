//! What an operator decides about presence.

use std::time::{Duration, Instant};

use super::registry::Reason;

/// The window in which departures are counted, from the first of them.
pub const FLAP_WINDOW: Duration = Duration::from_secs(60);

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client said goodbye.
    Goodbye,
    /// The client closed and said no goodbye: its page was closed or reloaded.
    Left,
    /// The connection broke, or went silent; `last_heard` is when it last gave a sign of life.
    Lost { last_heard: Instant },
}

impl Ending {
    /// What is said of it.
    pub fn reason(self) -> Reason {
        match self {
            Self::Goodbye => Reason::Closed,
            Self::Left => Reason::Left,
            Self::Lost { .. } => Reason::Lost,
        }
    }
}

/// How long a user still counts as online after a connection ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grace {
    /// After a goodbye, or hiding, which looks the same.
    pub goodbye: Duration,
    /// After a page was closed or reloaded: as long as a page takes to load.
    pub left: Duration,
    /// After a connection was lost, or the server restarted: as long as a client takes to notice
    /// and come back.
    pub lost: Duration,
}

impl Grace {
    /// How long to wait, and what to say if nobody comes back.
    pub(super) fn after(&self, ending: Ending) -> (Duration, Reason) {
        let grace = match ending {
            Ending::Goodbye => self.goodbye,
            Ending::Left => self.left,
            Ending::Lost { .. } => self.lost,
        };
        (grace, ending.reason())
    }
}

/// What is done about a user who comes and goes all the time.
///
/// Leaving is never held back, so that hiding and leaving look the same; coming back is. Whoever
/// stays is shown online once the hold is over, and whoever stays away is shown offline already:
/// when a user is quiet, what is shown is true.
#[derive(Clone, Copy, Debug, Default)]
pub struct Damping {
    /// Departures within [`FLAP_WINDOW`] that are still told as they happen; 0 for any number.
    pub departures: u32,
    /// How long a user who went away more often has to stay before others see them online again.
    pub hold: Duration,
}

/// The departures of one user that count against them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Departures {
    count: u32,
    until: Option<Instant>,
}

impl Departures {
    /// When they are forgotten.
    pub fn until(&self) -> Option<Instant> {
        self.until
    }

    pub fn add(&mut self, now: Instant) {
        self.expire(now);
        self.count += 1;
        self.until.get_or_insert(now + FLAP_WINDOW);
    }

    pub fn expire(&mut self, now: Instant) {
        if self.until.is_some_and(|until| until <= now) {
            *self = Self::default();
        }
    }

    /// Until when a return at `now` is held back, if it is.
    pub fn hold(&mut self, now: Instant, damping: Damping) -> Option<Instant> {
        self.expire(now);
        (damping.departures != 0 && self.count > damping.departures).then(|| now + damping.hold)
    }
}
