//! The client without its I/O: frames, time and a seed come in; instructions come out.
//!
//! Nothing here knows a clock, a socket or JavaScript. After each [`Core::handle_input`], drain
//! [`Core::poll_output`] to `None`, then arm one timer for [`Core::poll_timeout`] and hand in
//! [`Input::Timeout`] when it fires. `P` is whatever the shell uses for parsed objects: the core
//! carries them from input to output and never looks inside; [`Differ`] compares two of them.

mod backoff;
mod by_id;
mod connecting;
mod connection;
mod io;
mod person;
mod presence;
mod requests;
mod watchers;
mod watches;
mod watching;

use std::collections::VecDeque;

use backoff::Backoff;
use connection::{Connection, Opening, Pulse};
pub use connection::{ConnectionState, Status};
pub use io::{
    Ask, Asked, ConnectError, Differ, Event, Failure, Frame, Generation, Input, Millis, Output, RequestId, Seen,
    Snapshot, Ticket, WatchId,
};
use presence::People;
pub use presence::{Freshness, Presence};
use requests::Requests;
use rollcall_protocol::timing;
use watches::Watches;

/// How long the first connection may take, retries included, before `connectUser` gives up.
pub const CONNECT_DEADLINE: Millis = 15_000;
/// How long one attempt may take: the token, the handshake and the first frame.
pub const ATTEMPT_DEADLINE: Millis = 10_000;
/// How long a health check may stay unanswered when there is reason to doubt the connection.
pub const PROBE_DEADLINE: Millis = 5_000;
/// How often the time is looked at while connected. Timers stand still while a machine sleeps, so
/// this is how long after waking up the sleep goes unnoticed, where nothing else tells of it.
pub const TICK: Millis = 5_000;
/// How long the first requests for watches on a connection may take, before they are sent anew.
const FIRST_ASK_DEADLINE: Millis = 3_000;
/// A timer that fires later than this means that the machine slept or the page was frozen.
const OVERSLEPT: Millis = 5_000;
/// A connection that held for this long was a good one: the next loss starts the back-off anew.
const MIN_UPTIME: Millis = 10_000;
/// A page that was left and yet goes on running connects again after this.
const ABSENCE: Millis = 5_000;

/// One user's connection to a server: what is known, and what to do next.
pub struct Core<P> {
    connection: Connection,
    generation: Generation,
    backoff: Backoff,
    /// Whether a new token can be fetched when this one has expired.
    renewable_token: bool,
    /// When to tell listeners that the connection is down, unless it is back by then.
    offline_notice: Option<Millis>,
    people: People<P>,
    watches: Watches,
    requests: Requests,
    /// When the last input came.
    now: Millis,
    /// When to look at the time again, while connected. Does not move with every input, so that
    /// not every frame sets a timer.
    next_look: Millis,
    /// When the connection began to do what it does.
    since: Millis,
    /// When the server was last heard on a connection that is no more.
    last_heard: Option<Millis>,
    outputs: VecDeque<Output<P>>,
    profiles_differ: Differ<P>,
}

/// Leaves only those ids that are wanted. The standard `retain` would be compiled anew for every
/// reason to want one.
fn keep(ids: &mut Vec<String>, wanted: &mut dyn FnMut(&str) -> bool) {
    ids.retain(|id| wanted(id));
}

impl<P: Clone> Core<P> {
    /// A client, disconnected as of `now`. `seed` makes its back-off different from every other client's.
    pub fn new(now: Millis, seed: u64, profiles_differ: Differ<P>) -> Self {
        Core {
            connection: Connection::Disconnected,
            generation: Generation::default(),
            backoff: Backoff::new(seed),
            renewable_token: false,
            offline_notice: None,
            people: People::default(),
            watches: Watches::default(),
            requests: Requests::default(),
            now,
            next_look: now,
            since: now,
            last_heard: None,
            outputs: VecDeque::new(),
            profiles_differ,
        }
    }

    /// Tells the core what happened. `now` never needs to be exact, only never to run backwards.
    pub fn handle_input(&mut self, now: Millis, input: Input<P>) {
        let (before, trusted) = (self.status(), self.trusted());
        self.notice_sleep(now);
        self.now = now;
        match input {
            Input::Connect { renewable_token } => {
                self.renewable_token = renewable_token;
                self.dial(now, Opening::First { give_up_at: now + CONNECT_DEADLINE });
            }
            Input::Disconnect => self.disconnect(),
            Input::DialFailed { generation, reason } if self.is_current(generation) => {
                self.attempt_failed(now, ConnectError::Failed(reason), true);
            }
            Input::Frame { generation, frame } if self.is_current(generation) => self.frame(now, frame),
            Input::Closed { generation, code } if self.is_current(generation) => self.closed(now, code),
            Input::DialFailed { .. } | Input::Frame { .. } | Input::Closed { .. } => {}
            Input::Replied { request, result } => self.replied(now, request, result),
            Input::NetworkChanged { online } => self.network_changed(now, online),
            Input::Left => self.leave(now),
            Input::Woken => self.woken(now),
            Input::Timeout => {}
        }
        self.handle_deadlines(now);
        if self.status() != before {
            self.since = now;
        }
        self.tell_of_trust(trusted);
        if self.status() != before || self.trusted().is_some() != trusted.is_some() {
            self.outputs.push_back(Output::Emit(Event::ConnectionState));
        }
    }

    /// The next instruction, until `None`.
    pub fn poll_output(&mut self) -> Option<Output<P>> {
        self.outputs.pop_front()
    }

    /// When to hand in [`Input::Timeout`], if at all.
    pub fn poll_timeout(&self) -> Option<Millis> {
        let tick = self.connection.is_connected().then_some(self.next_look);
        [self.connection.deadline(), self.offline_notice, self.requests.retry_at(), tick].into_iter().flatten().min()
    }

    /// What the connection is doing.
    pub fn status(&self) -> Status {
        self.connection.status()
    }

    /// What the connection is doing, since when, and what comes next.
    pub fn connection(&self) -> ConnectionState {
        let (mut in_doubt, mut next_try, mut last_heard) = (false, None, self.last_heard);
        match self.connection {
            Connection::Connected { last_heard: heard, unsure, .. } => {
                in_doubt = unsure || !self.connection.is_alive();
                last_heard = Some(heard);
            }
            Connection::WaitingToReconnect { until, .. } => next_try = Some(until),
            Connection::Disconnected | Connection::Connecting { .. } => {}
        }
        ConnectionState { status: self.status(), since: self.since, in_doubt, next_try, last_heard }
    }

    /// The id of the live connection; requests that watch anything must carry it.
    pub fn connection_id(&self) -> Option<&str> {
        self.connection.id()
    }

    /// A mark to take before asking the server for a snapshot, and to hand back with the answer.
    pub fn asked(&mut self) -> Asked {
        Asked { generation: self.generation, heard: self.people.asked(), at: self.now }
    }

    /// How long the next request for watches may take, where that is less than usual.
    ///
    /// A network that took a connection without a word took the browser's idle HTTP connections
    /// too, and the browser finds out by a request that is never answered. So the first ones after
    /// a reconnect are given up early; asked again, they take another connection.
    pub fn patience(&self) -> Option<Millis> {
        (!self.requests.tried()).then_some(FIRST_ASK_DEADLINE)
    }

    /// Whether `generation` is the socket that matters now.
    pub fn is_current(&self, generation: Generation) -> bool {
        generation == self.generation
    }

    // --- Doubt --------------------------------------------------------------------------------

    fn notice_sleep(&mut self, now: Millis) {
        // Nothing is due before the last input, and mostly that was a moment ago.
        if now <= self.now + OVERSLEPT {
            return;
        }
        // Once in doubt it is left at that: where timers are slowed down, all of them are late.
        if self.connection.is_alive() && self.poll_timeout().is_some_and(|due| now > due + OVERSLEPT) {
            self.probe(now);
        }
    }

    /// Asks for a sign of life; without one in time, the connection counts as lost.
    fn probe(&mut self, now: Millis) {
        if let Connection::Connected { pulse, .. } = &mut self.connection {
            // An answer that should have come while nobody could listen may still be on its way.
            if !matches!(pulse, Pulse::InDoubt { deadline, probed: true } if now < *deadline) {
                *pulse = Pulse::InDoubt { deadline: now + PROBE_DEADLINE, probed: true };
                self.outputs.push_back(Output::SendHealthCheck);
            }
        }
    }

    /// The page may not have run for a while: what it waits for is looked at now, and what fell
    /// due meanwhile has its time again.
    fn woken(&mut self, now: Millis) {
        match &mut self.connection {
            Connection::Connected { .. } => self.probe(now),
            Connection::WaitingToReconnect { until, opening, .. } => {
                *until = now;
                opening.forgive(now);
                self.backoff.reset();
            }
            // It may have gone to a network that is no more. A good one has the time to answer,
            // however often this is said.
            Connection::Connecting { deadline, opening } => {
                *deadline = (*deadline).min(now + PROBE_DEADLINE);
                opening.forgive(now);
                self.backoff.reset();
            }
            Connection::Disconnected => {}
        }
        if self.offline_notice.is_some_and(|at| now >= at) {
            self.offline_notice = Some(now + timing::OFFLINE_NOTICE_AFTER);
        }
    }

    fn network_changed(&mut self, now: Millis, online: bool) {
        // Going offline doubts a connection; it does not make waiting attempts more promising.
        if online || self.connection.is_connected() {
            self.woken(now);
        }
    }

    fn handle_deadlines(&mut self, now: Millis) {
        if now >= self.next_look {
            self.next_look = now + TICK;
        }
        match self.connection {
            Connection::Disconnected => {}
            Connection::Connecting { deadline, opening } => {
                let deadline = opening.give_up_at().map_or(deadline, |at| deadline.min(at));
                if now >= deadline {
                    self.attempt_failed(now, ConnectError::TimedOut, false);
                }
            }
            Connection::WaitingToReconnect { until, opening } => {
                if opening.give_up_at().is_some_and(|at| now >= at) {
                    self.attempt_failed(now, ConnectError::TimedOut, true);
                } else if now >= until {
                    self.dial(now, opening);
                }
            }
            Connection::Connected { last_heard, ref mut pulse, .. } => match *pulse {
                Pulse::InDoubt { deadline, .. } if now >= deadline => self.lost(now),
                Pulse::InDoubt { .. } => {}
                Pulse::Sure { .. } if now >= last_heard + timing::DEAD_AFTER => self.lost(now),
                Pulse::Sure { .. } if now >= last_heard + timing::DOUBT_AFTER => {
                    *pulse = Pulse::InDoubt { deadline: last_heard + timing::DEAD_AFTER, probed: false };
                }
                Pulse::Sure { ref mut next_check } if now >= *next_check => {
                    *next_check = now + timing::HEALTH_CHECK_EVERY;
                    self.outputs.push_back(Output::SendHealthCheck);
                }
                Pulse::Sure { .. } => {}
            },
        }
        if self.offline_notice.is_some_and(|at| now >= at) {
            self.offline_notice = None;
            self.outputs.push_back(Output::Emit(Event::ConnectionChanged { online: false }));
        }
        if self.connection.is_connected() && self.requests.retry_at().is_some_and(|at| now >= at) {
            self.requests.retry();
            self.ask_next();
        }
    }

    // --- Events -------------------------------------------------------------------------------

    fn heard(&mut self, now: Millis, frame: Frame<P>) {
        match frame {
            Frame::Health { payload, .. } => {
                if let Connection::Connected { pulse: Pulse::Sure { next_check }, .. } = &mut self.connection {
                    *next_check = now + timing::HEALTH_CHECK_EVERY;
                }
                self.outputs.push_back(Output::Emit(Event::Received(payload)));
            }
            Frame::Doubt { in_doubt } => {
                if let Connection::Connected { unsure, .. } = &mut self.connection {
                    *unsure = in_doubt;
                }
            }
            Frame::User { user, payload } => self.heard_of(now, user, false, payload),
            Frame::Deleted { user, payload } => self.heard_of(now, user, true, payload),
            Frame::Other { payload } => self.outputs.push_back(Output::Emit(Event::Received(payload))),
            // The close that follows it ends the connection, and the next attempt is told why.
            Frame::Error { .. } => {}
        }
    }
}
