//! The deliveries that wait: the newest of each user, in the order in which they are due. Those of
//! users whose last one failed come after the others', and have only some of the workers.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::timeout_at;

use crate::store::Flip;

/// One event on its way.
pub(super) struct Delivery {
    pub flip: Flip,
    pub body: String,
    /// The number of the next attempt, from 1.
    pub attempt: u32,
    /// Since when the application has not heard of the user's flips.
    since: Instant,
    /// The last attempt of the user's flips has failed.
    failing: bool,
    /// Taken while the queue closes: no attempt will follow.
    last: bool,
}

impl Delivery {
    pub fn new(flip: Flip, body: String) -> Self {
        Self { flip, body, attempt: 1, since: Instant::now(), failing: false, last: false }
    }
}

pub(super) struct Queue {
    state: Mutex<State>,
    /// How many of those that fail may be in hand.
    failing_at_once: usize,
    more: Notify,
    idle: Notify,
}

#[derive(Default)]
struct State {
    newest: HashMap<String, Delivery>,
    /// Users of `newest` whom no worker has in hand, and when to try theirs. Not those whose last
    /// attempt has failed while the queue closes.
    due: BTreeSet<(Instant, String)>,
    /// The same of those that fail.
    failing_due: BTreeSet<(Instant, String)>,
    /// Users whom a worker has in hand, and since when they wait.
    busy: HashMap<String, Instant>,
    /// How many of these fail.
    failing_busy: usize,
    closing: bool,
}

enum Next {
    Taken(Delivery),
    DueAt(Instant),
    Nothing,
}

impl Queue {
    pub fn new(failing_at_once: usize) -> Self {
        Self { state: Mutex::default(), failing_at_once, more: Notify::new(), idle: Notify::new() }
    }

    pub fn put(&self, mut delivery: Delivery) {
        let mut state = self.lock();
        let user = delivery.flip.user.clone();
        let mut is_due = false;
        if let Some(older) = state.newest.get(&user) {
            is_due = !older.last;
            (delivery.since, delivery.failing) = (older.since, older.failing);
        }
        let failing = delivery.failing;
        state.newest.insert(user.clone(), delivery);
        if !is_due && !state.busy.contains_key(&user) {
            self.schedule(&mut state, user, failing, Duration::ZERO);
        }
    }

    /// The delivery that is due next; until [`Queue::done`] or [`Queue::retry`] no other worker
    /// gets one of the same user.
    pub async fn take(&self) -> Delivery {
        loop {
            let more = self.more.notified();
            match self.next() {
                Next::Taken(delivery) => return delivery,
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
        let now = Instant::now();
        let may_fail = state.closing || state.failing_busy < self.failing_at_once;
        let first = state.due.first().map(|(due, _)| *due);
        let first_failing = state.failing_due.first().map(|(due, _)| *due).filter(|_| may_fail);
        let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= now || state.closing);
        let taken = if is_due(first) {
            state.due.pop_first()
        } else if is_due(first_failing) {
            state.failing_due.pop_first()
        } else {
            return first.into_iter().chain(first_failing).min().map_or(Next::Nothing, Next::DueAt);
        };
        let Some(mut delivery) = taken.and_then(|(_, user)| state.newest.remove(&user)) else { return Next::Nothing };
        delivery.last = state.closing;
        state.busy.insert(delivery.flip.user.clone(), delivery.since);
        state.failing_busy += usize::from(delivery.failing);
        // Somebody else has to watch the clock now.
        self.more.notify_one();
        Next::Taken(delivery)
    }

    /// The delivery has failed: it, or what came for the user meanwhile, is due after `wait`.
    pub fn retry(&self, failed: Delivery, wait: Duration) {
        let mut state = self.lock();
        self.put_down(&mut state, &failed);
        let user = failed.flip.user.clone();
        let next = match state.newest.remove(&user) {
            Some(newer) => Delivery { since: failed.since, failing: true, ..newer },
            None => Delivery { attempt: failed.attempt + 1, failing: true, ..failed },
        };
        let ended = next.last;
        state.newest.insert(user.clone(), next);
        if ended {
            self.idle.notify_one();
        } else {
            self.schedule(&mut state, user, true, wait);
        }
    }

    /// Nothing more is to be done about the delivery in hand.
    pub fn done(&self, delivery: &Delivery) {
        let mut state = self.lock();
        self.put_down(&mut state, delivery);
        let user = &delivery.flip.user;
        if state.newest.contains_key(user) {
            self.schedule(&mut state, user.clone(), false, Duration::ZERO);
        } else {
            self.idle.notify_one();
        }
    }

    fn put_down(&self, state: &mut State, delivery: &Delivery) {
        state.busy.remove(&delivery.flip.user);
        if delivery.failing {
            state.failing_busy -= 1;
            // There is room for another one.
            self.more.notify_one();
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
            state.due.is_empty() && state.failing_due.is_empty() && state.busy.is_empty()
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

    fn schedule(&self, state: &mut State, user: String, failing: bool, wait: Duration) {
        let due = if failing { &mut state.failing_due } else { &mut state.due };
        due.insert((Instant::now() + wait, user));
        self.more.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Timestamp;

    fn delivery(user: &str) -> Delivery {
        let at = Timestamp::UNIX_EPOCH;
        let flip = Flip { id: user.to_owned(), user: user.to_owned(), online: true, at, claimed_at: at };
        Delivery::new(flip, String::new())
    }

    fn taken(queue: &Queue) -> Option<Delivery> {
        match queue.next() {
            Next::Taken(delivery) => Some(delivery),
            Next::DueAt(_) | Next::Nothing => None,
        }
    }

    #[test]
    fn users_whose_deliveries_fail_have_only_some_of_the_workers() {
        let queue = Queue::new(1);
        let users = ["ada", "bob"];
        users.iter().for_each(|user| queue.put(delivery(user)));
        let failed = users.map(|_| taken(&queue).unwrap());
        failed.into_iter().for_each(|delivery| queue.retry(delivery, Duration::ZERO));
        let ada = taken(&queue).unwrap();
        assert_eq!((&*ada.flip.user, ada.attempt), ("ada", 2));
        // A newer flip does not make a user one of the others.
        queue.put(delivery("bob"));
        assert!(taken(&queue).is_none());
        queue.put(delivery("carol"));
        assert_eq!(taken(&queue).unwrap().flip.user, "carol");
        queue.done(&ada);
        let bob = taken(&queue).unwrap();
        assert_eq!((&*bob.flip.user, bob.attempt), ("bob", 1));
        // Who has been told is.
        queue.put(delivery("bob"));
        queue.done(&bob);
        assert!(!taken(&queue).unwrap().failing);
    }
}
