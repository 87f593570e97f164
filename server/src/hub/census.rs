//! How much there is of everything, for whoever operates the server.

use super::Hub;

/// How many there are of what the hub holds, at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Census {
    pub connections: usize,
    /// Users whom others see as online.
    pub online_users: usize,
    /// Connections that watch users or channels.
    pub watching_connections: usize,
    /// Pairs of a connection and a user it watches, or a user of a channel it watches.
    pub subscriptions: usize,
    pub watched_users: usize,
    pub watched_channels: usize,
    /// Events that wait in all connections' queues together.
    pub queued_events: usize,
    /// Events that wait in the longest of these queues.
    pub longest_queue: usize,
    /// Returns of users that were not shown at once, since the start.
    pub flaps_held_back: u64,
    /// The other nodes are out of reach.
    pub cut_off: bool,
    /// What is shown of others may be wrong.
    pub in_doubt: bool,
}

impl Hub {
    /// Counts. It looks at every connection: for a question asked every few seconds.
    pub fn census(&self) -> Census {
        // Before the state is locked, under which nothing else is waited for.
        let (cut_off, in_doubt) = (!self.is_linked(), self.is_in_doubt());
        let state = self.lock();
        let queues = state.outboxes.values().map(|outbox| outbox.waiting());
        let (queued_events, longest_queue) =
            queues.fold((0, 0), |(sum, most), waiting| (sum + waiting, waiting.max(most)));
        Census {
            connections: state.registry.connection_count(),
            online_users: state.registry.online_count(),
            watching_connections: state.watchers.watching_count(),
            subscriptions: state.watchers.subscription_count(),
            watched_users: state.watchers.watched_users(),
            watched_channels: state.watchers.watched_channels(),
            queued_events,
            longest_queue,
            flaps_held_back: state.registry.held_back(),
            cut_off,
            in_doubt,
        }
    }
}
