//! What happened to whom lately, so that it can be asked why somebody is online, or is not.

use std::collections::VecDeque;
use std::time::Instant;

use super::registry::Reason;
use super::{ConnectionId, UserId};

/// How much is kept, of all users together: a megabyte.
const KEPT: usize = 16_384;
/// How much of it is about one user, at most, in an answer.
const TOLD: usize = 50;

/// One thing that happened to a user's presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    Connected(ConnectionId),
    Disconnected(ConnectionId, Reason),
    /// Others see the user as online from then on.
    Online,
    /// Others see the user as offline from then on.
    Offline(Reason),
    /// The same, and the user is there, but hides.
    Hidden,
}

/// The last happenings of all users; the oldest make way.
#[derive(Debug, Default)]
pub struct Journal {
    entries: VecDeque<(Instant, UserId, Happening)>,
}

impl Journal {
    pub fn add(&mut self, at: Instant, user: &UserId, happening: Happening) {
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back((at, user.clone(), happening));
    }

    /// What happened to the user, newest first. It looks at all entries: for questions of people.
    pub fn of(&self, user: &str) -> impl Iterator<Item = (Instant, Happening)> {
        let entries = self.entries.iter().rev().filter(move |(_, whose, _)| **whose == *user);
        entries.map(|(at, _, happening)| (*at, *happening)).take(TOLD)
    }
}
