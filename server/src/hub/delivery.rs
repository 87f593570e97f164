//! Events on their way into sockets, past the tasks of their connections.
//!
//! To wake a task and to have it look at all that it waits for costs half of what the system takes for
//! the write. So where a connection has a [`Shortcut`], and its task sleeps, a [`Delivery`] writes what
//! is in its queue, and one task does the deliveries of many. What does not fit into the socket at once
//! is left to the connection's own task: it can wait without holding up others.

use std::sync::Arc;

use tokio::task::yield_now;

use super::outbox::{Queue, wake};
use crate::bus::Event;
use crate::tcp::Written;

/// Events of one delivery.
const AT_ONCE: usize = 64;
/// Deliveries that one task does, in a few milliseconds.
/// Several tasks would be done sooner, and cost more: threads that have to be woken, and that get into
/// each other's way in the system.
const IN_A_ROW: usize = 1024;
/// Deliveries, a fraction of a millisecond, after which it lets others have its processor.
const AT_A_STRETCH: usize = 64;

/// Events that wait, of a connection whose task does not know of them: it is woken when this is dropped
/// and any are left.
#[derive(Debug)]
pub struct Delivery(Arc<Queue>);

/// A way to write to a connection without its task.
pub trait Shortcut: Send + Sync {
    /// Writes the events, if that can be done at once; they are laid out in `bytes`.
    fn try_send(&self, events: &[Arc<Event>], bytes: &mut Vec<u8>) -> Written;

    /// From now on nothing is written.
    fn seal(&self);
}

/// Memory that deliveries use one after the other.
#[derive(Default)]
struct Scratch {
    events: Vec<Arc<Event>>,
    bytes: Vec<u8>,
}

/// Has the deliveries done by tasks of their own, [`IN_A_ROW`] each.
pub fn start(mut deliveries: Vec<Delivery>) {
    while !deliveries.is_empty() {
        let some = deliveries.split_off(deliveries.len().saturating_sub(IN_A_ROW));
        tokio::spawn(async move {
            let mut scratch = Scratch::default();
            for (place, delivery) in some.into_iter().enumerate() {
                if place % AT_A_STRETCH == AT_A_STRETCH - 1 {
                    yield_now().await;
                }
                delivery.send(&mut scratch);
            }
        });
    }
}

impl Delivery {
    /// Of a queue whose reader waits.
    pub(super) fn of(queue: Arc<Queue>) -> Self {
        Self(queue)
    }

    /// Writes the events that wait, if that can be done at once.
    fn send(self, scratch: &mut Scratch) {
        let Scratch { events, bytes } = scratch;
        self.0.lock().take(events, AT_ONCE);
        let written = self.0.shortcut.get().map(|shortcut| shortcut.try_send(events, bytes));
        match written {
            Some(Written::All) => {}
            Some(Written::InPart) => self.0.lock().torn = true,
            Some(Written::Nothing) | None => {
                let mut state = self.0.lock();
                events.drain(..).rev().for_each(|event| state.events.push_front(event));
            }
        }
        events.clear();
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.delivering = false;
        if state.torn || state.ended.is_some() || !state.events.is_empty() {
            let reader = state.reader.take();
            drop(state);
            wake(reader);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use futures_util::FutureExt;
    use rollcall_protocol::close;

    use super::super::outbox::{Inbox, Outbox, queue};
    use super::*;

    /// Writes as much as it is told to.
    struct Way(Written, Arc<Mutex<Vec<String>>>);

    impl Shortcut for Way {
        fn try_send(&self, events: &[Arc<Event>], _: &mut Vec<u8>) -> Written {
            if self.0 != Written::Nothing {
                self.1.lock().unwrap_or_else(PoisonError::into_inner).extend(words(events));
            }
            self.0
        }

        fn seal(&self) {}
    }

    fn words(events: &[Arc<Event>]) -> Vec<String> {
        events.iter().map(|event| event.json.to_string()).collect()
    }

    fn event(json: &'static str) -> Arc<Event> {
        Arc::new(Event { json: json.into(), explained: None, presence_of: None, flipped_at: None })
    }

    fn is_ready(inbox: &mut Inbox) -> bool {
        inbox.ready(1).now_or_never().is_some()
    }

    fn rest(inbox: &mut Inbox) -> Vec<String> {
        let mut events = Vec::new();
        inbox.take(&mut events, usize::MAX);
        words(&events)
    }

    /// A queue of a connection that sleeps, with a way past it.
    fn asleep(written: Written) -> (Outbox, Inbox, Arc<Mutex<Vec<String>>>) {
        let (outbox, mut inbox) = queue(8);
        let sent = Arc::default();
        inbox.open(Box::new(Way(written, Arc::clone(&sent))));
        assert!(!is_ready(&mut inbox));
        (outbox, inbox, sent)
    }

    fn delivery(outbox: &Outbox, json: &'static str) -> Option<Delivery> {
        outbox.push(event(json)).ok().flatten()
    }

    #[test]
    fn what_fits_concerns_the_connection_no_more() {
        let (outbox, mut inbox, sent) = asleep(Written::All);
        for json in ["1", "2"] {
            delivery(&outbox, json).into_iter().for_each(|delivery| delivery.send(&mut Scratch::default()));
            assert!(!is_ready(&mut inbox));
        }
        assert_eq!(*sent.lock().unwrap_or_else(PoisonError::into_inner), ["1", "2"]);
    }

    #[test]
    fn what_does_not_fit_waits_for_the_connection_in_its_order() {
        let (outbox, mut inbox, _) = asleep(Written::Nothing);
        let due = delivery(&outbox, "1");
        assert!(delivery(&outbox, "2").is_none(), "the delivery that is due takes it along");
        assert!(!is_ready(&mut inbox), "what is being delivered is not taken");
        due.into_iter().for_each(|delivery| delivery.send(&mut Scratch::default()));
        assert!(is_ready(&mut inbox));
        assert!(delivery(&outbox, "3").is_none(), "the connection is awake");
        assert_eq!(rest(&mut inbox), ["1", "2", "3"]);
    }

    #[test]
    fn a_part_that_is_left_wakes_the_connection_though_no_event_waits() {
        let (outbox, mut inbox, _) = asleep(Written::InPart);
        delivery(&outbox, "1").into_iter().for_each(|delivery| delivery.send(&mut Scratch::default()));
        assert!(is_ready(&mut inbox));
        assert!(rest(&mut inbox).is_empty());
        assert!(!is_ready(&mut inbox));
    }

    #[test]
    fn the_end_comes_after_what_is_being_delivered() {
        let (outbox, mut inbox, _) = asleep(Written::All);
        let due = delivery(&outbox, "1");
        outbox.close(close::GOING_AWAY);
        assert!(!is_ready(&mut inbox));
        due.into_iter().for_each(|delivery| delivery.send(&mut Scratch::default()));
        assert_eq!(inbox.ready(1).now_or_never(), Some(Err(close::GOING_AWAY)));
    }

    #[tokio::test]
    async fn one_who_hides_is_told_by_their_own_connection() {
        let (outbox, mut inbox, _) = asleep(Written::All);
        outbox.put_aside(true);
        assert!(delivery(&outbox, "1").is_none());
        assert!(is_ready(&mut inbox));
    }
}
