//! The deliveries that wait: the newest of each user, in the order in which users began to wait.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;
use uuid::Uuid;

use crate::presence::UserId;

/// One event on its way.
pub(super) struct Delivery {
    pub id: Uuid,
    pub body: String,
    /// Since when the application has not heard of the user's flips.
    pub since: Instant,
}

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    more: Notify,
}

#[derive(Default)]
struct State {
    newest: HashMap<UserId, Delivery>,
    /// Users of `newest` whom no worker has in hand.
    order: VecDeque<UserId>,
    /// Users whom a worker has in hand, and since when they wait.
    busy: HashMap<UserId, Instant>,
}

impl Queue {
    pub fn put(&self, user: &UserId, mut delivery: Delivery) {
        let mut state = self.lock();
        let older = state.newest.get(user).map(|older| older.since);
        delivery.since = older.unwrap_or(delivery.since);
        state.newest.insert(user.clone(), delivery);
        if older.is_none() && !state.busy.contains_key(user) {
            state.order.push_back(user.clone());
            self.more.notify_one();
        }
    }

    /// The next user's delivery; until [`Queue::done`] no other worker gets one of theirs.
    pub async fn take(&self) -> (UserId, Delivery) {
        loop {
            let more = self.more.notified();
            if let Some(taken) = self.try_take() {
                return taken;
            }
            more.await;
        }
    }

    fn try_take(&self) -> Option<(UserId, Delivery)> {
        let mut state = self.lock();
        let user = state.order.pop_front()?;
        let delivery = state.newest.remove(&user)?;
        state.busy.insert(user.clone(), delivery.since);
        if !state.order.is_empty() {
            self.more.notify_one();
        }
        Some((user, delivery))
    }

    /// What came for a user in hand meanwhile.
    pub fn newer(&self, user: &UserId) -> Option<Delivery> {
        self.lock().newest.remove(user)
    }

    pub fn done(&self, user: &UserId) {
        let mut state = self.lock();
        state.busy.remove(user);
        if state.newest.contains_key(user) {
            state.order.push_back(user.clone());
            self.more.notify_one();
        }
    }

    /// How many users' flips are not delivered yet, and since when the first of them waits.
    pub fn backlog(&self) -> (usize, Option<Instant>) {
        let state = self.lock();
        let oldest = state.newest.values().map(|delivery| delivery.since).chain(state.busy.values().copied()).min();
        (state.order.len() + state.busy.len(), oldest)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
