//! The bounded queue between those who tell and the one connection that listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use rollcall_protocol::close;
use tokio::sync::mpsc::{self, error::TrySendError};

use crate::bus::Event;

/// The end that the hub holds. Dropping it ends the connection.
#[derive(Debug)]
pub struct Outbox {
    events: mpsc::Sender<Arc<Event>>,
    code: Arc<AtomicU16>,
}

/// The end that a connection holds.
#[derive(Debug)]
pub struct Inbox {
    events: mpsc::Receiver<Arc<Event>>,
    code: Arc<AtomicU16>,
}

/// Makes a queue that holds `capacity` events.
pub fn queue(capacity: usize) -> (Outbox, Inbox) {
    let (sender, receiver) = mpsc::channel(capacity);
    let code = Arc::new(AtomicU16::new(close::INTERNAL_ERROR));
    let outbox = Outbox { events: sender, code: code.clone() };
    let inbox = Inbox { events: receiver, code };
    (outbox, inbox)
}

impl Outbox {
    /// Queues the event. False when the queue is full or nobody reads it any more.
    pub fn push(&self, event: Arc<Event>) -> bool {
        match self.events.try_send(event) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => false,
        }
    }

    /// How many events wait.
    pub fn waiting(&self) -> usize {
        self.events.max_capacity() - self.events.capacity()
    }

    /// Ends the connection with this close code, after what is queued already.
    pub fn close(self, code: u16) {
        self.code.store(code, Ordering::Release);
    }
}

impl Inbox {
    /// The next event, or the code to close with when there will be none.
    /// Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Result<Arc<Event>, u16> {
        match self.events.recv().await {
            Some(event) => Ok(event),
            None => Err(self.code.load(Ordering::Acquire)),
        }
    }

    /// The next event, if one is queued already.
    pub fn try_next(&mut self) -> Option<Arc<Event>> {
        self.events.try_recv().ok()
    }
}
