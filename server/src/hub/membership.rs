//! Being connected, as a value: dropping it is the only way to leave.

use std::sync::Arc;
use std::time::Instant;

use super::Hub;
use super::visit::Visit;
use crate::presence::ConnectionId;
use crate::presence::rules::Ending;

/// Holds a connection's place in the registry.
pub struct Membership {
    hub: Hub,
    id: ConnectionId,
    visit: Arc<Visit>,
    ending: Ending,
}

impl Membership {
    pub(super) fn new(hub: Hub, id: ConnectionId, visit: Arc<Visit>) -> Self {
        Self {
            hub,
            id,
            visit,
            // What we are not told is a loss: a crash of the task, a vanished peer.
            ending: Ending::Lost { last_heard: Instant::now() },
        }
    }

    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// The client gave a sign of life.
    pub fn heard(&mut self) {
        let now = Instant::now();
        self.visit.heard(now);
        self.ending = Ending::Lost { last_heard: now };
    }

    /// The client closed without a goodbye: its page was closed or reloaded.
    pub fn left(mut self) {
        self.ending = Ending::Left;
    }

    /// The client said goodbye.
    pub fn goodbye(mut self) {
        self.ending = Ending::Goodbye;
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.hub.disconnect(self.id, self.ending);
    }
}
