//! What the server counts, as Prometheus reads it.

use std::sync::Arc;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// All counters. Clones count together.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    connections: Gauge,
    online: Gauge,
    subscriptions: Gauge,
    pub flips: Counter,
    pub events_delivered: Counter,
    pub slow_readers: Counter,
    pub webhooks_delivered: Counter,
    pub webhooks_failed: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("rollcall");
        let metrics = Self {
            connections: Gauge::default(),
            online: Gauge::default(),
            subscriptions: Gauge::default(),
            flips: Counter::default(),
            events_delivered: Counter::default(),
            slow_readers: Counter::default(),
            webhooks_delivered: Counter::default(),
            webhooks_failed: Counter::default(),
            registry: Arc::default(),
        };
        let r = &mut registry;
        r.register("connections", "Live connections", metrics.connections.clone());
        r.register("online_users", "Users whom others see as online", metrics.online.clone());
        r.register(
            "presence_subscriptions",
            "Presence subscriptions of all connections together",
            metrics.subscriptions.clone(),
        );
        r.register("presence_flips", "Times a user came online or went offline", metrics.flips.clone());
        r.register("events_delivered", "Events put into a connection's queue", metrics.events_delivered.clone());
        r.register("slow_readers", "Connections closed because they did not keep up", metrics.slow_readers.clone());
        r.register("webhooks_delivered", "Flips that the webhook took", metrics.webhooks_delivered.clone());
        r.register("webhooks_failed", "Flips that the webhook never took", metrics.webhooks_failed.clone());
        Self { registry: Arc::new(registry), ..metrics }
    }
}

impl Metrics {
    pub(crate) fn observe(&self, connections: usize, online: usize, subscriptions: usize) {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.connections.set(count(connections));
        self.online.set(count(online));
        self.subscriptions.set(count(subscriptions));
    }

    /// The Prometheus text format.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}
