//! What stories of watched users have in common.

use super::client::{Payload, TestClient};
use rollcall::core::{Ask, Freshness, Output, Presence, RequestId, Ticket, WatchId};

pub const LIVE: Freshness = Freshness::Live;
pub const STALE: Freshness = Freshness::Stale;
pub const UNKNOWN: Freshness = Freshness::Unknown;

impl TestClient {
    pub fn watch(&mut self, watch: WatchId, ids: &[&str]) -> Ticket {
        ids.iter().for_each(|id| self.core.watch(watch, id));
        let ticket = self.core.ticket(watch);
        self.drain();
        ticket
    }

    pub fn unwatch(&mut self, watch: WatchId, id: &str) {
        self.core.unwatch(watch, id);
        self.drain();
    }

    /// A watch that listens, of whom the server says that they are online.
    pub fn watching(&mut self, online: &[&str]) -> WatchId {
        let watch = self.core.new_watch();
        self.core.listen(watch, true);
        self.watch(watch, online);
        let (request, ids) = self.page();
        self.answer(request, &ids.iter().map(|id| (id.as_str(), true)).collect::<Vec<_>>());
        self.take();
        watch
    }

    /// The users asked for, with the request.
    pub fn page(&mut self) -> (RequestId, Vec<String>) {
        let mut asks = self.asks();
        assert_eq!(asks.len(), 1, "{asks:?}");
        match asks.remove(0) {
            (request, Ask::Users { ids }) => (request, ids),
            other => panic!("{other:?}"),
        }
    }

    /// Who was told of as changed, to which watch, and whether by a resync.
    pub fn changes(&mut self) -> Vec<(WatchId, String, bool)> {
        let outputs = self.take().into_iter();
        outputs
            .filter_map(|output| match output {
                Output::Changed { watch, id, resync } => Some((watch, id, resync)),
                _ => None,
            })
            .collect()
    }

    pub fn settled_watches(&mut self) -> Vec<(Ticket, Result<(), Payload>)> {
        let outputs = self.take().into_iter();
        outputs
            .filter_map(|output| match output {
                Output::Watched { ticket, result } => Some((ticket, result)),
                _ => None,
            })
            .collect()
    }

    pub fn is_online(&self, id: &str) -> (bool, Freshness) {
        let Presence { online, freshness, .. } = self.core.presence(id);
        (online, freshness)
    }
}

pub fn change(watch: WatchId, id: &str) -> (WatchId, String, bool) {
    (watch, id.to_owned(), false)
}
