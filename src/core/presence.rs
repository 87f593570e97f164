//! Who is online, as far as this client has been told: a snapshot, then changes.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::io::{Asked, Event, Generation, Seen, Snapshot};

/// How far what is known of a user can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The connection is alive and tells of every change.
    Live,
    /// It was true once; the connection has been in doubt since.
    Stale,
    /// The server never said. Not the same as offline.
    Unknown,
}

struct Person<P> {
    user: P,
    online: bool,
    revision: u64,
    /// The number of the event that said so; 0 when it was a snapshot.
    heard: u64,
    /// The connection that tells of changes.
    confirmed: Generation,
    /// Asked for as a user, not only as a member of some channel.
    watched: bool,
}

pub(super) struct People<P> {
    by_id: HashMap<String, Person<P>, BuildHasherDefault<Fnv>>,
    heard: u64,
}

/// FNV-1a. The default hasher is seeded at random, and a simulation must run the same twice.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl<P> Default for People<P> {
    fn default() -> Self {
        People { by_id: HashMap::default(), heard: 0 }
    }
}

impl<P: Clone> People<P> {
    /// How many events about users have come so far.
    pub(super) fn heard(&self) -> u64 {
        self.heard
    }

    /// An event: the newest there is.
    pub(super) fn hear(&mut self, seen: Seen<P>, generation: Generation) {
        self.heard += 1;
        self.put(seen, self.heard, generation);
    }

    /// A snapshot: true unless an event has come since it was asked for. `changed` hears of what
    /// differs from what was known.
    pub(super) fn learn(&mut self, snapshot: Snapshot<P>, current: Generation, changed: &mut dyn FnMut(Event<P>)) {
        let Snapshot { asked, users } = snapshot;
        for seen in users {
            if let Some(known) = self.by_id.get(&seen.id) {
                if known.heard > asked.heard || (known.confirmed == current && asked.generation != current) {
                    continue;
                }
                if known.online != seen.online {
                    changed(Event::PresenceLearnt { user: seen.user.clone() });
                } else if known.revision != seen.revision {
                    changed(Event::ProfileLearnt { user: seen.user.clone() });
                }
            }
            self.put(seen, 0, asked.generation);
        }
    }

    fn put(&mut self, seen: Seen<P>, heard: u64, confirmed: Generation) {
        let Seen { id, online, revision, user } = seen;
        let watched = self.by_id.get(&id).is_some_and(|known| known.watched);
        self.by_id.insert(id, Person { user, online, revision, heard, confirmed, watched });
    }

    /// The user as an event showed them after `asked`.
    pub(super) fn heard_since(&self, asked: Asked, id: &str) -> Option<&P> {
        self.by_id.get(id).filter(|person| person.heard > asked.heard).map(|person| &person.user)
    }

    /// From now on this user is asked for again after a reconnect.
    pub(super) fn watch(&mut self, id: &str) {
        if let Some(person) = self.by_id.get_mut(id) {
            person.watched = true;
        }
    }

    /// The users to ask for again.
    pub(super) fn watched(&self) -> Vec<String> {
        self.by_id.iter().filter(|(_, person)| person.watched).map(|(id, _)| id.clone()).collect()
    }

    /// What is known of a user; `trusted` names the connection that is alive, if any.
    pub(super) fn get(&self, id: &str, trusted: Option<Generation>) -> (Option<&P>, Freshness) {
        match self.by_id.get(id) {
            None => (None, Freshness::Unknown),
            Some(person) if trusted == Some(person.confirmed) => (Some(&person.user), Freshness::Live),
            Some(person) => (Some(&person.user), Freshness::Stale),
        }
    }
}
