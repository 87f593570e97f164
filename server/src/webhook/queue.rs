//! The deliveries that wait: the newest of each user, in the order in which users began to wait.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use uuid::Uuid;

use crate::presence::UserId;

/// One event on its way.
pub(super) struct Delivery {
    pub id: Uuid,
    pub body: String,
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
    /// Users whom a worker has in hand.
    busy: HashSet<UserId>,
}

impl Queue {
    pub fn put(&self, user: &UserId, delivery: Delivery) {
        let mut state = self.lock();
        let waits = state.newest.insert(user.clone(), delivery).is_some();
        if !waits && !state.busy.contains(user) {
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
        state.busy.insert(user.clone());
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
