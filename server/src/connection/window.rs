//! How long events wait for one another, to share a frame: a page pays for each frame, whatever is
//! in it.
//!
//! What comes after a quiet time goes out at once. After each frame a window begins; what comes
//! within it goes out together, at its end.

use std::time::Duration;

use tokio::time::Instant;

/// Events written in one go. So many do not wait for more.
pub const BATCH: usize = 256;

/// The window of one connection. Does nothing by itself: it says what to wait for.
#[derive(Debug)]
pub struct Window {
    length: Duration,
    ends: Instant,
    /// Events wait for its end.
    holds: bool,
}

impl Window {
    /// Windows of this length; of none, every event goes out at once.
    pub fn new(length: Duration, now: Instant) -> Self {
        Self { length, ends: now, holds: false }
    }

    /// How many events are worth looking at.
    pub fn wanted(&self) -> usize {
        if self.holds { BATCH } else { 1 }
    }

    /// As many as are [wanted](Self::wanted) are there: whether they go out now. Otherwise they do
    /// when they are [due](Self::due).
    pub fn lets_out(&mut self, now: Instant) -> bool {
        let out = self.holds || self.ends <= now;
        self.holds = !out;
        out
    }

    /// When to send what waits, if anything does.
    pub fn due(&self) -> Option<Instant> {
        self.holds.then_some(self.ends)
    }

    /// Events went out.
    pub fn begin(&mut self, now: Instant) {
        self.ends = now + self.length;
        self.holds = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_millis(100);

    #[test]
    fn a_lone_event_goes_out_at_once() {
        let start = Instant::now();
        let mut window = Window::new(LENGTH, start);
        for now in [start, start + LENGTH, start + LENGTH * 5] {
            assert!(window.lets_out(now));
            window.begin(now);
            assert_eq!(window.due(), None);
        }
    }

    #[test]
    fn what_follows_waits_for_the_end_of_the_window_and_no_longer() {
        let start = Instant::now();
        let mut window = Window::new(LENGTH, start);
        assert!(window.lets_out(start));
        window.begin(start);
        assert!(!window.lets_out(start + LENGTH / 4));
        assert_eq!(window.due(), Some(start + LENGTH));
        // The next window begins when these are out.
        window.begin(start + LENGTH);
        assert_eq!(window.due(), None);
        assert!(!window.lets_out(start + LENGTH * 2 - Duration::from_nanos(1)));
        assert_eq!(window.due(), Some(start + LENGTH * 2));
    }

    #[test]
    fn a_full_frame_does_not_wait() {
        let start = Instant::now();
        let mut window = Window::new(LENGTH, start);
        window.begin(start);
        assert_eq!(window.wanted(), 1);
        assert!(!window.lets_out(start));
        assert_eq!(window.wanted(), BATCH);
        assert!(window.lets_out(start));
        assert_eq!(window.wanted(), 1);
    }

    #[test]
    fn without_a_length_nothing_waits() {
        let start = Instant::now();
        let mut window = Window::new(Duration::ZERO, start);
        for _ in 0..3 {
            assert!(window.lets_out(start));
            window.begin(start);
        }
    }
}
