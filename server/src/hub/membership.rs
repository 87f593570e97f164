//! Being connected, as a value: dropping it is the only way to leave.

use super::Hub;
use crate::presence::ConnectionId;
use crate::presence::registry::Ending;

/// Holds a connection's place in the registry.
pub struct Membership {
    hub: Hub,
    id: ConnectionId,
    ending: Ending,
}

impl Membership {
    pub(super) fn new(hub: Hub, id: ConnectionId) -> Self {
        Self {
            hub,
            id,
            // What we are not told is a loss: a crash of the task, a vanished peer, a reload.
            ending: Ending::Lost,
        }
    }

    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// The client said goodbye: the user counts as gone at once.
    pub fn goodbye(mut self) {
        self.ending = Ending::Goodbye;
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.hub.disconnect(self.id, self.ending);
    }
}
