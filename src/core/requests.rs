//! What is being asked by itself, for watches: a queue, a few in flight, and patience.

use std::collections::VecDeque;

use super::by_id::Place;
use super::io::{Ask, Asked, Millis, RequestId};
use super::keep;
use rollcall_protocol::limits;

/// Few enough that a thousand clients who come back together do not ask everything at once.
const IN_FLIGHT: usize = 2;
/// A usual page of users goes into an address, and proxies take only so long a one.
const PAGE_BYTES: usize = 5_000;

/// What a request asks about.
pub(super) enum Subject {
    Channels(Ask),
    Users(Vec<Place>),
}

#[derive(Default)]
pub(super) struct Requests {
    channels: VecDeque<Ask>,
    in_flight: Vec<(RequestId, Asked, Subject)>,
    last_id: u32,
    failures: u32,
    /// Whether anything asked on this connection has come to an end.
    tried: bool,
    retry_at: Option<Millis>,
    recovering: bool,
    /// Whether the server takes large pages of users.
    pages: bool,
}

impl Requests {
    /// Whether the server of this connection takes large pages of users.
    pub(super) fn take_pages(&mut self, large: bool) {
        self.pages = large;
    }

    /// Channels, except those for which just that is waiting or on its way already.
    pub(super) fn queue(&mut self, mut ask: Ask) {
        let Ask::Channels { cids, watch, presence } = &mut ask else { return };
        let in_flight = self.in_flight.iter().filter_map(|(.., subject)| match subject {
            Subject::Channels(ask) => Some(ask),
            Subject::Users(_) => None,
        });
        for other in self.channels.iter().chain(in_flight) {
            if let Ask::Channels { cids: others, watch: also_watch, presence: also_presence } = other
                && (also_watch, also_presence) == (&*watch, &*presence)
            {
                keep(cids, &mut |cid| !others.iter().any(|other| other == cid));
            }
        }
        if !cids.is_empty() {
            self.channels.push_back(ask);
        }
    }

    /// When everything queued by now is answered, [`Requests::has_recovered`] says so, once.
    pub(super) fn recovering(&mut self) {
        self.recovering = true;
    }

    /// Whether what is answered now is asked because of a reconnect.
    pub(super) fn is_recovering(&self) -> bool {
        self.recovering
    }

    /// When no users are waiting either.
    pub(super) fn has_recovered(&mut self) -> bool {
        let done = self.recovering && self.channels.is_empty() && self.in_flight.is_empty();
        if done {
            self.recovering = false;
        }
        done
    }

    /// The next thing to ask, unless enough is in flight: channels that are still `wanted`, or else
    /// a page of users, which is cut when it is its turn: those who come one by one while others are
    /// in flight then share one.
    pub(super) fn next(
        &mut self,
        asked: Asked,
        wanted: &mut dyn FnMut(&str) -> bool,
        page: &mut dyn FnMut(usize, usize) -> (Vec<Place>, Vec<String>),
    ) -> Option<(RequestId, Ask)> {
        if self.retry_at.is_some() || self.in_flight.len() >= IN_FLIGHT {
            return None;
        }
        let (ask, subject) = if let Some(ask) = self.channels(wanted) {
            (ask.clone(), Subject::Channels(ask))
        } else {
            let (users, ids) = if self.pages {
                page(limits::USERS_BY_ID, usize::MAX)
            } else {
                page(limits::USERS_PER_REQUEST, PAGE_BYTES)
            };
            if ids.is_empty() {
                return None;
            }
            (Ask::Users { ids }, Subject::Users(users))
        };
        self.last_id = self.last_id.wrapping_add(1);
        let id = RequestId(self.last_id);
        self.in_flight.push((id, asked, subject));
        Some((id, ask))
    }

    fn channels(&mut self, wanted: &mut dyn FnMut(&str) -> bool) -> Option<Ask> {
        while let Some(mut ask) = self.channels.pop_front() {
            if let Ask::Channels { cids, .. } = &mut ask {
                keep(cids, wanted);
                if !cids.is_empty() {
                    return Some(ask);
                }
            }
        }
        None
    }

    /// The request that is answered now; `None` when nobody waits for it any more.
    pub(super) fn take(&mut self, id: RequestId) -> Option<(Asked, Subject)> {
        let index = self.in_flight.iter().position(|(other, ..)| *other == id)?;
        let (_, asked, subject) = self.in_flight.swap_remove(index);
        Some((asked, subject))
    }

    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.tried = true;
    }

    pub(super) fn tried(&self) -> bool {
        self.tried
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// A request has failed: nothing is asked before `at`, nor before another one may be.
    pub(super) fn failed(&mut self, at: Millis) {
        self.failures = self.failures.saturating_add(1);
        self.tried = true;
        self.retry_at = self.retry_at.max(Some(at));
    }

    /// Its channels come first then.
    pub(super) fn put_back(&mut self, channels: Ask) {
        self.channels.push_front(channels);
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
        *self = Requests { last_id: self.last_id, pages: self.pages, ..Requests::default() };
    }
}
