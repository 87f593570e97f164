//! When, by our own clock, the server said something.

use std::cell::Cell;

use super::timer::now;

/// How far the two clocks may drift apart within one connection, in milliseconds.
const SLACK: f64 = 2_000.0;

/// Tells the answer to a health check from one that the server said before, and that waited while
/// the page was frozen or the machine slept: that one proves nothing.
#[derive(Default)]
pub(super) struct ServerClock {
    /// How far our clock is ahead of the server's, as the quickest of its frames showed it.
    ahead: Cell<Option<f64>>,
    /// When we last asked.
    asked: Cell<f64>,
}

impl ServerClock {
    /// A connection begins, perhaps to another machine.
    pub(super) fn reset(&self) {
        self.ahead.take();
        self.asked.take();
    }

    /// The server is asked now.
    pub(super) fn ask(&self) {
        self.asked.set(now() as f64);
    }

    /// Whether what the server `said` was after it was asked, as far as can be known.
    /// Milliseconds of its wall clock, or not a number.
    pub(super) fn is_answer(&self, said: f64) -> bool {
        let ahead = now() as f64 - said;
        let least = self.ahead.get().map_or(ahead, |least| least.min(ahead));
        // Without a date it must do as it is.
        let answers = said.is_nan() || said + least + SLACK >= self.asked.get();
        if answers && !said.is_nan() {
            self.ahead.set(Some(least));
        }
        answers
    }
}
