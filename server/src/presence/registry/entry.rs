//! What the registry knows of one user.

use std::time::{Duration, Instant};

use super::{Claim, Reason};
use crate::presence::ConnectionId;
use crate::presence::rules::{Damping, Departures, Ending, Grace};

/// How a user stands with the registry, for whoever has to explain it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Others see the user as online.
    pub online: bool,
    /// The user hides. Known of those who are there, or were a moment ago.
    pub invisible: bool,
    /// The user may come back until then; and what is said if they do not.
    pub grace: Option<(Instant, Reason)>,
    /// The user came back too often, and is shown from then on.
    pub held_until: Option<Instant>,
}

/// A user who is here, or was a moment ago.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub connections: Vec<ConnectionId>,
    /// The user may come back until then; and what is said if they do not.
    pub grace: Option<(Instant, Reason)>,
    pub last_heard: Option<Instant>,
    pub refresh_at: Option<Instant>,
    pub invisible: bool,
    pub departures: Departures,
    /// The user came back too often: others see it from then on.
    pub held_until: Option<Instant>,
}

impl Entry {
    pub fn shows_connections(&self) -> bool {
        !self.connections.is_empty() && !self.invisible
    }

    pub fn visible(&self) -> bool {
        self.shows_connections() || self.grace.is_some()
    }

    pub fn online(&self) -> bool {
        self.visible() && self.held_until.is_none()
    }

    pub fn in_sight(&self) -> bool {
        self.shows_connections() && self.held_until.is_none()
    }

    /// A connection that others saw ended, after which the user may come back for a while.
    pub fn end(&mut self, now: Instant, last_heard: Instant, (grace, reason): (Duration, Reason)) {
        self.last_heard = self.last_heard.max(Some(last_heard));
        let until = now + grace;
        if !grace.is_zero() && self.grace.is_none_or(|(other, _)| other < until) {
            self.grace = Some((until, reason));
        }
    }

    pub fn set_invisible(&mut self, now: Instant, invisible: bool, grace: &Grace) {
        match (self.shows_connections(), invisible) {
            (true, true) => self.end(now, now, grace.after(Ending::Goodbye)),
            (false, false) if !self.connections.is_empty() => self.grace = None,
            _ => {}
        }
        self.invisible = invisible;
    }

    pub fn claim(&self) -> Claim {
        match (self.connections.is_empty(), self.online()) {
            (true, false) => Claim::Gone,
            (true, true) => Claim::Waiting,
            (false, false) => Claim::Hidden,
            (false, true) if self.in_sight() => Claim::Here,
            (false, true) => Claim::Hiding,
        }
    }

    pub fn timer(&self) -> Option<Instant> {
        let grace = self.grace.map(|(until, _)| until);
        [grace, self.refresh_at, self.held_until, self.departures.until()].into_iter().flatten().min()
    }

    /// Ends what is over at `now`.
    pub fn expire(&mut self, now: Instant) {
        self.grace = self.grace.filter(|(until, _)| *until > now);
        self.refresh_at = self.refresh_at.filter(|at| *at > now);
        self.held_until = self.held_until.filter(|until| *until > now);
        self.departures.expire(now);
    }

    /// Counts a departure, or holds back a return. True when it holds one back.
    pub fn damp(&mut self, now: Instant, was_visible: bool, damping: Damping) -> bool {
        match (was_visible, self.visible()) {
            (true, false) => {
                self.held_until = None;
                if damping.departures != 0 {
                    self.departures.add(now);
                }
                false
            }
            (false, true) => {
                self.held_until = self.departures.hold(now, damping);
                self.held_until.is_some()
            }
            _ => false,
        }
    }

    /// While connections show the user, `last_active` is due every now and then.
    pub fn keep_fresh(&mut self, now: Instant, refresh: Duration) {
        if !self.shows_connections() {
            self.refresh_at = None;
        } else if self.refresh_at.is_none() {
            self.refresh_at = Some(now + refresh);
        }
    }

    /// Whether nothing is left to remember of the user.
    pub fn is_over(&self) -> bool {
        self.connections.is_empty() && self.grace.is_none() && self.departures.until().is_none()
    }

    pub fn standing(&self) -> Standing {
        Standing { online: self.online(), invisible: self.invisible, grace: self.grace, held_until: self.held_until }
    }
}
