//! How long to wait before trying again: full jitter, so that a crowd that lost the same server
//! does not come back as one.

use super::io::Millis;

/// The first delay is drawn from nothing to this.
const BASE: Millis = 1_000;
/// No delay is longer.
const CAP: Millis = 25_000;

pub(super) struct Backoff {
    attempts: u32,
    random: u64,
}

impl Backoff {
    pub(super) fn new(seed: u64) -> Self {
        // xorshift never leaves zero.
        Backoff { attempts: 0, random: seed | 1 }
    }

    /// Nothing has failed since the last reset.
    pub(super) fn is_fresh(&self) -> bool {
        self.attempts == 0
    }

    pub(super) fn reset(&mut self) {
        self.attempts = 0;
    }

    /// The wait before the next attempt; each one may be longer than the last.
    pub(super) fn next_delay(&mut self) -> Millis {
        let delay = self.delay_after(self.attempts);
        self.attempts = self.attempts.saturating_add(1);
        delay
    }

    /// The wait after `failures` of something that keeps its own count.
    pub(super) fn delay_after(&mut self, failures: u32) -> Millis {
        let ceiling = BASE.checked_shl(failures.min(16)).unwrap_or(CAP).min(CAP);
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % (ceiling + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_cap_and_differ_between_clients() {
        let longest = |attempt: usize| {
            (0..500u64)
                .map(|seed| {
                    let mut backoff = Backoff::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                    (0..=attempt).map(|_| backoff.next_delay()).last().unwrap()
                })
                .max()
                .unwrap()
        };
        assert!((900..=BASE).contains(&longest(0)), "the first retry is quick: {}", longest(0));
        assert!((22_000..=CAP).contains(&longest(9)), "later ones reach the cap: {}", longest(9));

        let mut first: Vec<Millis> =
            (1..200u64).map(|seed| Backoff::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)).next_delay()).collect();
        first.sort_unstable();
        first.dedup();
        assert!(first.len() > 120, "a crowd spreads out: {} different delays", first.len());
    }
}
