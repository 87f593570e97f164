//! The bounded queue between those who tell and the one connection that listens.
//!
//! Most connections have nothing to be told most of the time. So a queue that is empty holds no
//! room for events, which a channel of the runtime's would.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rollcall_protocol::close;
use tokio::time::sleep;

use crate::aside;
use crate::bus::Event;

/// An empty queue keeps the room for this many events.
const KEPT: usize = 8;
/// How long the connection of one who hides leaves an event alone.
const LATER: Duration = Duration::from_millis(10);

/// The end that the hub holds. Dropping it ends the connection.
#[derive(Debug)]
pub struct Outbox(Arc<Queue>);

/// The end that a connection holds.
#[derive(Debug)]
pub struct Inbox(Arc<Queue>);

#[derive(Debug)]
struct Queue {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Arc<Event>>,
    /// Who waits for events,
    reader: Option<Waker>,
    /// and for how many.
    wanted: usize,
    /// No more events come; the close code says why.
    ended: Option<u16>,
    /// Nobody reads any more.
    abandoned: bool,
}

/// Makes a queue that holds `capacity` events.
pub fn queue(capacity: usize) -> (Outbox, Inbox) {
    let queue = Arc::new(Queue { capacity, state: Mutex::default() });
    (Outbox(queue.clone()), Inbox(queue))
}

impl Outbox {
    /// Queues the event. False when the queue is full or nobody reads it any more.
    pub fn push(&self, event: Arc<Event>) -> bool {
        self.put(event).map(wake).is_some()
    }

    /// The same for one who hides, whose connection does nothing about it until everybody else's has:
    /// that theirs waited for the processor would tell that somebody is there.
    pub fn push_aside(&self, event: Arc<Event>) -> bool {
        let wake_later = |reader| {
            tokio::spawn(async move {
                sleep(aside::moment(LATER)).await;
                wake(reader);
            });
        };
        self.put(event).map(wake_later).is_some()
    }

    /// Queues the event, and returns who waited for it. None when it is not queued.
    fn put(&self, event: Arc<Event>) -> Option<Option<Waker>> {
        let mut state = self.0.lock();
        if state.abandoned || state.events.len() >= self.0.capacity {
            return None;
        }
        state.events.push_back(event);
        let reader = match state.events.len() >= state.wanted {
            true => state.reader.take(),
            false => None,
        };
        Some(reader)
    }

    /// How many events wait.
    pub fn waiting(&self) -> usize {
        self.0.lock().events.len()
    }

    /// Ends the connection with this close code, after what is queued already.
    pub fn close(self, code: u16) {
        self.0.lock().ended = Some(code);
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.ended.get_or_insert(close::INTERNAL_ERROR);
        let reader = state.reader.take();
        drop(state);
        wake(reader);
    }
}

impl Inbox {
    /// Waits until so many events are queued, or half of what the queue holds, or all that there
    /// will be; the code to close with when that is none.
    pub async fn ready(&mut self, events: usize) -> Result<(), u16> {
        let wanted = events.min(self.0.capacity / 2).max(1);
        poll_fn(|context| self.0.lock().poll_ready(context, wanted)).await
    }

    /// Takes what is queued already, until there are `most` events in `events`.
    pub fn take(&mut self, events: &mut Vec<Arc<Event>>, most: usize) {
        let mut state = self.0.lock();
        let count = state.events.len().min(most.saturating_sub(events.len()));
        events.extend(state.events.drain(..count));
        // Once it is empty, a queue needs no more room than it has most of the time.
        if state.events.is_empty() && state.events.capacity() > KEPT {
            state.events.shrink_to(KEPT);
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.abandoned = true;
        state.events = VecDeque::new();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn poll_ready(&mut self, context: &Context<'_>, wanted: usize) -> Poll<Result<(), u16>> {
        match (self.events.len(), self.ended) {
            (0, Some(code)) => Poll::Ready(Err(code)),
            (queued, ended) if queued >= wanted || ended.is_some() => Poll::Ready(Ok(())),
            _ => {
                self.wanted = wanted;
                if self.reader.as_ref().is_none_or(|reader| !reader.will_wake(context.waker())) {
                    self.reader = Some(context.waker().clone());
                }
                Poll::Pending
            }
        }
    }
}

/// Not under the lock, which it would wait for at once.
fn wake(reader: Option<Waker>) {
    if let Some(reader) = reader {
        reader.wake();
    }
}
