//! What is being asked again after a reconnect: a queue, a few in flight, and patience.

use super::io::{Ask, Asked, Millis, RequestId};
use rollcall_protocol::limits;

/// Few enough that a thousand clients who come back together do not ask everything at once.
const IN_FLIGHT: usize = 2;

#[derive(Default)]
pub(super) struct Requests {
    /// The next one is the last.
    queue: Vec<Ask>,
    in_flight: Vec<(RequestId, Asked, Ask)>,
    last_id: u32,
    failures: u32,
    retry_at: Option<Millis>,
    recovering: bool,
}

impl Requests {
    pub(super) fn queue_users(&mut self, ids: Vec<String>) {
        for page in ids.chunks(limits::USERS_PER_REQUEST) {
            self.queue(Ask::Users { ids: page.to_vec() });
        }
    }

    pub(super) fn queue(&mut self, ask: Ask) {
        self.queue.insert(0, ask);
    }

    /// When everything queued by now is answered, [`Requests::has_recovered`] says so, once.
    pub(super) fn recovering(&mut self) {
        self.recovering = true;
    }

    pub(super) fn has_recovered(&mut self) -> bool {
        let done = self.recovering && self.queue.is_empty() && self.in_flight.is_empty();
        if done {
            self.recovering = false;
        }
        done
    }

    /// The next thing to ask, unless enough is in flight.
    pub(super) fn next(&mut self, asked: Asked) -> Option<(RequestId, Ask)> {
        if self.retry_at.is_some() || self.in_flight.len() >= IN_FLIGHT {
            return None;
        }
        let ask = self.queue.pop()?;
        self.last_id = self.last_id.wrapping_add(1);
        let id = RequestId(self.last_id);
        self.in_flight.push((id, asked, ask.clone()));
        Some((id, ask))
    }

    /// The request that is answered now; `None` when nobody waits for it any more.
    pub(super) fn take(&mut self, id: RequestId) -> Option<(Asked, Ask)> {
        let index = self.in_flight.iter().position(|(other, ..)| *other == id)?;
        let (_, asked, ask) = self.in_flight.swap_remove(index);
        Some((asked, ask))
    }

    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Puts a failed request back; nothing is asked before `at`.
    pub(super) fn try_again(&mut self, ask: Ask, at: Millis) {
        self.failures = self.failures.saturating_add(1);
        self.queue.push(ask);
        self.retry_at = Some(at);
    }

    pub(super) fn retry_at(&self) -> Option<Millis> {
        self.retry_at
    }

    pub(super) fn retry(&mut self) {
        self.retry_at = None;
    }

    /// The connection they were asked on is gone. Ids go on counting, so that a late answer
    /// finds nothing.
    pub(super) fn clear(&mut self) {
        *self = Requests { last_id: self.last_id, ..Requests::default() };
    }
}
