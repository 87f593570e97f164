//! The deliveries that wait: the newest of each user, in the order in which they are due.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::timeout_at;
use uuid::Uuid;

use crate::presence::UserId;

/// One event on its way.
pub(super) struct Delivery {
    pub id: Uuid,
    pub body: String,
    /// Since when the application has not heard of the user's flips.
    pub since: Instant,
    /// The number of the next attempt, from 1.
    pub attempt: u32,
    /// Taken while the queue closes: no attempt will follow.
    last: bool,
}

impl Delivery {
    pub fn new(body: String) -> Self {
        Self { id: Uuid::new_v4(), body, since: Instant::now(), attempt: 1, last: false }
    }
}

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    more: Notify,
    idle: Notify,
}

#[derive(Default)]
struct State {
    newest: HashMap<UserId, Delivery>,
    /// Users of `newest` whom no worker has in hand, and when to try theirs. Not those whose last
    /// attempt has failed.
    due: BTreeSet<(Instant, UserId)>,
    /// Users whom a worker has in hand, and since when they wait.
    busy: HashMap<UserId, Instant>,
    closing: bool,
}

enum Next {
    Taken(UserId, Delivery),
    DueAt(Instant),
    Nothing,
}

impl Queue {
    pub fn put(&self, user: &UserId, mut delivery: Delivery) {
        let mut state = self.lock();
        let older = state.newest.get(user);
        let is_due = older.is_some_and(|older| !older.last);
        delivery.since = older.map_or(delivery.since, |older| older.since);
        state.newest.insert(user.clone(), delivery);
        if !is_due && !state.busy.contains_key(user) {
            self.schedule(&mut state, user, Duration::ZERO);
        }
    }

    /// The delivery that is due next; until [`Queue::done`] or [`Queue::retry`] no other worker
    /// gets one of the same user.
    pub async fn take(&self) -> (UserId, Delivery) {
        loop {
            let more = self.more.notified();
            match self.next() {
                Next::Taken(user, delivery) => return (user, delivery),
                Next::DueAt(due) => {
                    // Either way there is something to look at.
                    let _ = timeout_at(due.into(), more).await;
                }
                Next::Nothing => more.await,
            }
        }
    }

    fn next(&self) -> Next {
        let mut state = self.lock();
        match state.due.first() {
            Some(&(due, _)) if due > Instant::now() && !state.closing => return Next::DueAt(due),
            _ => {}
        }
        let Some((_, user)) = state.due.pop_first() else { return Next::Nothing };
        let Some(mut delivery) = state.newest.remove(&user) else { return Next::Nothing };
        delivery.last = state.closing;
        state.busy.insert(user.clone(), delivery.since);
        if !state.due.is_empty() {
            // Somebody else has to watch the clock now.
            self.more.notify_one();
        }
        Next::Taken(user, delivery)
    }

    /// The delivery has failed: it, or what came for the user meanwhile, is due after `wait`.
    pub fn retry(&self, user: &UserId, failed: Delivery, wait: Duration) {
        let mut state = self.lock();
        state.busy.remove(user);
        let next = match state.newest.remove(user) {
            Some(newer) => Delivery { since: failed.since, ..newer },
            None => Delivery { attempt: failed.attempt + 1, ..failed },
        };
        let ended = next.last;
        state.newest.insert(user.clone(), next);
        if ended {
            self.idle.notify_one();
        } else {
            self.schedule(&mut state, user, wait);
        }
    }

    /// Nothing more is to be done about the delivery in hand.
    pub fn done(&self, user: &UserId) {
        let mut state = self.lock();
        state.busy.remove(user);
        if state.newest.contains_key(user) {
            self.schedule(&mut state, user, Duration::ZERO);
        } else {
            self.idle.notify_one();
        }
    }

    /// From now on everything is due at once, and for the last time.
    pub fn close(&self) {
        self.lock().closing = true;
        self.more.notify_waiters();
    }

    /// Done when nothing is under way or due any more. For one caller at a time.
    pub async fn idle(&self) {
        let is_idle = || {
            let state = self.lock();
            state.due.is_empty() && state.busy.is_empty()
        };
        while !is_idle() {
            self.idle.notified().await;
        }
    }

    /// How many users' flips are not delivered yet, and since when the first of them waits.
    pub fn backlog(&self) -> (usize, Option<Instant>) {
        let state = self.lock();
        let oldest = state.newest.values().map(|delivery| delivery.since).chain(state.busy.values().copied()).min();
        let waiting = state.newest.keys().filter(|user| !state.busy.contains_key(*user)).count();
        (waiting + state.busy.len(), oldest)
    }

    fn schedule(&self, state: &mut State, user: &UserId, wait: Duration) {
        state.due.insert((Instant::now() + wait, user.clone()));
        self.more.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
