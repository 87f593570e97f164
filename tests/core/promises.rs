//! What the client promises, looked at from outside.

use std::collections::BTreeSet;

use rollcall::core::{CONNECT_DEADLINE, Freshness, Millis, PROBE_DEADLINE, Status};
use rollcall_protocol::timing;

use super::network::SLOWEST;
use super::page::looked_up;
use super::server::{self, NAMES, PEOPLE, Said, Scope};
use super::world::{HIDDEN_TIMERS, World};

/// So long may what is called live have been untrue: silence until the connection is given up,
/// and what was on its way.
const DETECTION: Millis = timing::DEAD_AFTER + 2 * SLOWEST;

impl World {
    /// What holds at every moment.
    pub fn check(&mut self) {
        let (hidden, now) = (self.hidden, self.now);
        if hidden {
            self.last_hidden = Some(now - self.slept);
        }
        let awake = now - self.slept;
        let was_hidden = self.last_hidden.is_some_and(|at| awake <= at + 4 * HIDDEN_TIMERS);
        let slack = if hidden { HIDDEN_TIMERS } else { 0 };
        let doubt = match self.core.status() {
            Status::Connected => self.knowledge.doubt(now, slack),
            _ => Some("there is no connection"),
        };
        for person in 0..NAMES.len() {
            let (_, online, freshness) = looked_up(&self.core, person);
            if freshness != Freshness::Live {
                continue;
            }
            if let Some(why) = doubt.or_else(|| self.knowledge.doubt_about(person)) {
                self.breaks(format!("{} is called live, although {why}", server::name(person)));
            }
            if self.server.people[person].is_none_or(|profile| profile.online != online) {
                let last = self.last_true[person];
                let last = if online { last.online } else { last.offline };
                let bound = DETECTION + if was_hidden { 3 * HIDDEN_TIMERS } else { 0 };
                if last.is_none_or(|at| awake > at + bound) {
                    let word = if online { "online" } else { "offline" };
                    self.breaks(format!("{} was called {word} and live for too long", server::name(person)));
                }
            }
        }
        if let Some(since) = self.page.connecting
            && !self.disturbed
            && !hidden
            && now > since + CONNECT_DEADLINE
        {
            self.breaks("connectUser does not settle in time");
        }
        self.doubtful_attempt.take_if(|(socket, _)| self.core.status() != Status::Connecting || *socket != self.socket);
        if self.doubtful_attempt.is_some_and(|(_, at)| self.is_awake() && now > at + PROBE_DEADLINE + slack) {
            self.breaks("holds on to an attempt from before the page woke or a network came");
        }
        if let Some(left_behind) = self.page.watch_left_behind(&self.core) {
            self.breaks(left_behind);
        }
    }

    /// What holds once everything has been whole and quiet for a while. `all`: the connection is a
    /// new one, on which everything that is wanted has been asked for.
    pub fn check_quiet(&mut self, all: bool) {
        if self.broken.is_some() || self.core.status() == Status::Disconnected {
            return;
        }
        if self.core.status() != Status::Connected {
            return self.breaks("is not connected");
        }
        if self.page.is_promised_anything() {
            return self.breaks("something that was promised never came");
        }
        let asking = !self.requests.is_empty() || !self.waiting.is_empty() || !self.doubted.is_empty();
        if asking || self.core.poll_output().is_some() {
            return self.breaks("something is still going on");
        }
        if all && self.knowledge.recovered != 1 {
            return self.breaks("never said that it has recovered");
        }
        if let Some(channel) = self.page.left.iter().find(|channel| self.page.channels.contains_key(channel)) {
            return self.breaks(format!("watches channel {channel}, which it was told to stop watching last"));
        }
        for person in 0..PEOPLE {
            self.check_settled(person, all);
        }
        if all {
            self.check_subscriptions();
        }
    }

    pub fn check_settled(&mut self, person: usize, all: bool) {
        let (wanted, member) = (self.page.wants(person), self.is_member(person));
        if !wanted && !member {
            return;
        }
        let (truth, name) = (self.server.people[person], server::name(person));
        let (user, online, freshness) = looked_up(&self.core, person);
        let subscriptions = self.server.connections.get(&self.socket).map(|connection| &connection.subscriptions);
        let told = |scope: Scope| subscriptions.is_some_and(|told| told.contains(&(scope, person)));
        let member = self.page.channels.keys().any(|channel| told(Scope::Channel(*channel)));
        match truth {
            Some(profile) if told(Scope::Users) || member => {
                if freshness != Freshness::Live && !all && self.server.reborn.contains(&person) {
                    // Came into being after they had been asked for in vain.
                } else if freshness == Freshness::Stale && !wanted && !member {
                    // Is told of, until the next connection, for a watch that has ended.
                } else if (user, freshness) != (Some(Said::Shown { person, profile }), Freshness::Live)
                    || online != profile.online
                {
                    return self.breaks(format!("shows {name} as {user:?}, {freshness:?}; the truth is {profile:?}"));
                }
                if let Some(odds) = self.page.view_at_odds(person, truth).filter(|_| freshness == Freshness::Live) {
                    self.breaks(odds);
                }
            }
            _ if freshness == Freshness::Live => self.breaks(format!("calls {name} live, of whom nothing is told")),
            None if all && !wanted && freshness == Freshness::Stale => {
                self.breaks(format!("goes on to show {name}, whom no channel shows any more"));
            }
            Some(_) if all && wanted => self.breaks(format!("has lost {name}")),
            _ => {}
        }
    }

    /// On a new connection the server tells of what is wanted, and of nothing else.
    pub fn check_subscriptions(&mut self) {
        let Some(connection) = self.server.connections.get(&self.socket) else {
            return self.breaks("the server knows of no connection");
        };
        let of = |scope: Scope| {
            connection.subscriptions.iter().filter(move |(other, _)| *other == scope).map(|(_, person)| *person)
        };
        let wanted = self.page.wanted();
        let there: BTreeSet<usize> =
            wanted.iter().copied().filter(|person| self.server.people[*person].is_some()).collect();
        let told: BTreeSet<usize> = of(Scope::Users).filter(|person| self.server.people[*person].is_some()).collect();
        let watched = |which: fn(&(bool, bool)) -> bool| -> BTreeSet<usize> {
            self.page.channels.iter().filter(|(_, wants)| which(wants)).map(|(channel, _)| *channel).collect()
        };
        if there != told {
            let names =
                |people: &BTreeSet<usize>| people.iter().map(|person| server::name(*person)).collect::<Vec<_>>();
            self.breaks(format!("wanted are {:?}, and the server tells of {:?}", names(&there), names(&told)));
        } else if watched(|(_, presence)| *presence) != connection.followed
            || watched(|(watch, _)| *watch) != connection.watched
        {
            self.breaks(format!(
                "wanted are {:?}, and the server tells of the members of {:?} and of {:?}",
                self.page.channels, connection.followed, connection.watched
            ));
        }
    }
}
