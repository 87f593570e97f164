//! The bounded queue between those who tell and the one connection that listens.
//!
//! Most connections have nothing to be told most of the time. So a queue that is empty holds no
//! room for events, which a channel of the runtime's would.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rollcall_protocol::close;
use tokio::time::sleep;

use super::delivery::{Delivery, Shortcut};
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

pub(super) struct Queue {
    capacity: usize,
    pub(super) shortcut: OnceLock<Box<dyn Shortcut>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) events: VecDeque<Arc<Event>>,
    /// Who waits for events, and has written all that was taken before,
    pub(super) reader: Option<Waker>,
    /// and for how many.
    wanted: usize,
    /// It is of one who hides.
    aside: bool,
    /// There is a [`Delivery`]: the reader waits for its end.
    pub(super) delivering: bool,
    /// A part of what was delivered is still to be written.
    pub(super) torn: bool,
    /// No more events come; the close code says why.
    pub(super) ended: Option<u16>,
    /// Nobody reads any more.
    abandoned: bool,
}

/// Makes a queue that holds `capacity` events.
pub fn queue(capacity: usize) -> (Outbox, Inbox) {
    let queue = Arc::new(Queue { capacity, shortcut: OnceLock::new(), state: Mutex::default() });
    (Outbox(queue.clone()), Inbox(queue))
}

/// The event is not queued: the queue is full, or nobody reads it any more.
#[derive(Debug)]
pub struct Refused;

impl Outbox {
    /// Queues the event. Whoever has it queued has to see to the delivery, if one is due.
    pub fn push(&self, event: Arc<Event>) -> Result<Option<Delivery>, Refused> {
        let mut state = self.0.lock();
        if state.abandoned || state.events.len() >= self.0.capacity {
            return Err(Refused);
        }
        state.events.push_back(event);
        if state.delivering || state.events.len() < state.wanted {
            return Ok(None);
        }
        if state.reader.is_some() && !state.aside && self.0.shortcut.get().is_some() {
            state.delivering = true;
            return Ok(Some(Delivery::of(self.0.clone())));
        }
        let (reader, aside) = (state.reader.take(), state.aside);
        drop(state);
        match reader {
            Some(reader) if aside => wake_later(reader),
            reader => wake(reader),
        }
        Ok(None)
    }

    /// Whether it is of one who hides. Their connection does nothing about an event until everybody else's
    /// has: that theirs waited for the processor would tell that somebody is there.
    pub fn put_aside(&self, aside: bool) {
        self.0.lock().aside = aside;
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
    /// From now on events may go this way, until the inbox is dropped.
    pub fn open(&self, shortcut: Box<dyn Shortcut>) {
        // There is one for each connection.
        let _ = self.0.shortcut.set(shortcut);
    }

    /// Waits until so many events are queued, or half of what the queue holds, or all that there
    /// will be; the code to close with when that is none.
    pub async fn ready(&mut self, events: usize) -> Result<(), u16> {
        let wanted = events.min(self.0.capacity / 2).max(1);
        poll_fn(|context| self.0.lock().poll_ready(context, wanted)).await
    }

    /// Takes what is queued already, until there are `most` events in `events`.
    pub fn take(&mut self, events: &mut Vec<Arc<Event>>, most: usize) {
        self.0.lock().take(events, most);
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.abandoned = true;
        state.events = VecDeque::new();
        drop(state);
        if let Some(shortcut) = self.0.shortcut.get() {
            shortcut.seal();
        }
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("capacity", &self.capacity).field("state", &self.state).finish_non_exhaustive()
    }
}

impl Queue {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn poll_ready(&mut self, context: &Context<'_>, wanted: usize) -> Poll<Result<(), u16>> {
        let (queued, ended) = (self.events.len(), self.ended);
        if self.delivering || (queued < wanted && ended.is_none() && !self.torn) {
            self.wanted = wanted;
            if self.reader.as_ref().is_none_or(|reader| !reader.will_wake(context.waker())) {
                self.reader = Some(context.waker().clone());
            }
            return Poll::Pending;
        }
        self.reader = None;
        match ended {
            Some(code) if queued == 0 => Poll::Ready(Err(code)),
            _ => {
                self.torn = false;
                Poll::Ready(Ok(()))
            }
        }
    }

    pub(super) fn take(&mut self, events: &mut Vec<Arc<Event>>, most: usize) {
        let count = self.events.len().min(most.saturating_sub(events.len()));
        events.extend(self.events.drain(..count));
        // Once it is empty, a queue needs no more room than it has most of the time.
        if self.events.is_empty() && self.events.capacity() > KEPT {
            self.events.shrink_to(KEPT);
        }
    }
}

fn wake_later(reader: Waker) {
    tokio::spawn(async move {
        sleep(aside::moment(LATER)).await;
        reader.wake();
    });
}

/// Not under the lock, which it would wait for at once.
pub(super) fn wake(reader: Option<Waker>) {
    if let Some(reader) = reader {
        reader.wake();
    }
}
