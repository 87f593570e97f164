//! What a client could have known: kept beside it from nothing but what reached it.

use std::collections::BTreeSet;

use rollcall::core::Millis;
use rollcall_protocol::timing;

use super::server::{Call, Scope};

/// A presence may be called live only while
///
/// - there is a connection, and nothing has cast doubt on it since it was last heard: no event
///   of the page or of the network, no sleep, no silence of [`timing::DOUBT_AFTER`];
/// - an answer to a question asked on this very connection has shown the user, for a watch that
///   still stands, as one whose changes are told.
#[derive(Default)]
pub struct Knowledge {
    heard_at: Option<Millis>,
    doubt: Option<&'static str>,
    told: BTreeSet<(usize, Scope)>,
    /// What a reconnect owes the app before it may be called recovered.
    owed: BTreeSet<Owed>,
    /// No question may be asked before.
    pub quiet_until: Millis,
    pub recovered: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owed {
    Person(usize),
    Channel(usize),
}

impl Knowledge {
    pub fn connected(now: Millis, owed: BTreeSet<Owed>) -> Self {
        Knowledge { heard_at: Some(now), owed, ..Knowledge::default() }
    }

    pub fn heard(&mut self, now: Millis) {
        self.heard_at = Some(now);
        self.doubt = None;
    }

    pub fn doubted(&mut self, why: &'static str) {
        self.doubt = Some(why);
    }

    pub fn learnt(&mut self, person: usize, scope: Scope) {
        self.told.insert((person, scope));
    }

    pub fn left(&mut self, channel: usize) {
        self.told.retain(|(_, scope)| *scope != Scope::Channel(channel));
        self.owed.remove(&Owed::Channel(channel));
    }

    pub fn unwanted(&mut self, person: usize) {
        self.owed.remove(&Owed::Person(person));
    }

    /// A question of the core's own came to an end.
    pub fn settled(&mut self, call: &Call) {
        match call {
            Call::Users(people) => self.owed.retain(|owed| !people.iter().any(|person| *owed == Owed::Person(*person))),
            Call::Channels { channels, .. } => {
                self.owed.retain(|owed| !channels.iter().any(|channel| *owed == Owed::Channel(*channel)));
            }
            Call::StopWatching(_) => {}
        }
    }

    pub fn still_owed(&self, wanted: impl Fn(&Owed) -> bool) -> Option<Owed> {
        self.owed.iter().copied().find(|owed| wanted(owed))
    }

    /// Why nobody can be called live now; `slack` is how late timers may fire.
    pub fn doubt(&self, now: Millis, slack: Millis) -> Option<&'static str> {
        match self.heard_at {
            None => Some("there is no connection"),
            Some(at) if now > at + timing::DOUBT_AFTER + slack => Some("nothing was heard for so long"),
            Some(_) => self.doubt,
        }
    }

    /// Why this person cannot be called live.
    pub fn doubt_about(&self, person: usize) -> Option<&'static str> {
        let told = self.told.range((person, Scope::Users)..=(person, Scope::Channel(usize::MAX))).next();
        told.is_none().then_some("nothing on this connection tells of them")
    }
}

/// When each of the people was last online, and last offline, by the clock of a page that is awake.
#[derive(Clone, Copy, Default)]
pub struct LastTrue {
    pub online: Option<Millis>,
    pub offline: Option<Millis>,
}
