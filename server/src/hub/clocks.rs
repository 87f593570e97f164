//! The clock that goes evenly, by which presence is reckoned, and that of the day, by which it is told.

use std::time::{Duration, Instant};

use crate::store::{self, Timestamp};

/// Both clocks, read at one moment: times that are told together keep their order.
pub(super) struct Clocks {
    instant: Instant,
    time: Timestamp,
}

impl Clocks {
    pub(super) fn read() -> Self {
        // In this order: however long reading the second is held up, nothing happened earlier than it did.
        let instant = Instant::now();
        Self { instant, time: store::now() }
    }

    /// The time of day that it is at `instant`.
    pub(super) fn at(&self, instant: Instant) -> Timestamp {
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or_default();
        let ago = micros(self.instant.saturating_duration_since(instant));
        let ahead = micros(instant.saturating_duration_since(self.instant));
        Timestamp::from_microsecond(self.time.as_microsecond() + ahead - ago).unwrap_or(self.time)
    }
}
