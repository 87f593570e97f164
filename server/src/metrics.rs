//! What the server counts, as Prometheus reads it: things that happen are counted as they do,
//! things that are so are looked at when somebody asks.

mod delay;

use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

pub use delay::Delays;

use crate::hub::Census;

/// What happened so far. Clones count together.
#[derive(Clone, Default)]
pub struct Metrics {
    pub came_online: Counter,
    pub went_offline: Counter,
    /// What has happened and is not told yet.
    pub untold: Gauge,
    pub events_delivered: Counter,
    /// From a flip to a watcher's socket.
    pub delivery: Delays,
    pub slow_readers: Counter,
    /// What clients have yet to read.
    pub untaken_reply_bytes: Gauge,
    /// TCP connections that are nobody's socket.
    pub pending_connections: Gauge,
    turned_away: Family<Label, Counter>,
    pub webhooks_delivered: Counter,
    pub webhooks_retried: Counter,
    pub webhooks_failed: Counter,
    /// Times that Redis was out of reach, or did not do what it was asked.
    pub redis_errors: Counter,
    /// Users looked up in Redis.
    pub lookups: Counter,
}

/// How things are at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub census: Census,
    /// Connections that are long-poll sessions.
    pub sessions: usize,
    /// Flips that the webhook has not taken yet.
    pub webhooks_waiting: usize,
    /// How long the first of them has waited.
    pub webhook_delay: Duration,
}

type Label = [(&'static str, &'static str); 1];

/// The flags by which a connection is turned away.
const TURNED_AWAY: [&str; 5] =
    ["anonymous-connections", "connect-patience", "connections", "connections-per-user", "pending-connections"];

impl Metrics {
    /// A connection was not let in, by this flag.
    pub fn turn_away(&self, flag: &'static str) {
        self.turned_away.get_or_create(&[("limit", flag)]).inc();
    }

    /// The OpenMetrics text format.
    pub fn to_text(&self, now: &Snapshot) -> String {
        let mut registry = Registry::with_prefix("rollcall");
        self.register(&mut registry);
        now.register(&mut registry);
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut out, &registry);
        out
    }

    fn register(&self, r: &mut Registry) {
        let flips = Family::<Label, Counter>::default();
        flips.get_or_create(&[("to", "online")]).inc_by(self.came_online.get());
        flips.get_or_create(&[("to", "offline")]).inc_by(self.went_offline.get());
        r.register("presence_flips", "Times a user came online or went offline, as others see it", flips);
        let help = "From a flip to its frame in the socket of one who watches";
        r.register_with_unit("presence_delivery", help, Unit::Seconds, self.delivery.clone());
        r.register("untold_changes", "Changes that wait to be stored and told", self.untold.clone());
        r.register("events_delivered", "Events put into a connection's queue", self.events_delivered.clone());
        r.register("slow_readers", "Connections closed because they did not keep up", self.slow_readers.clone());
        r.register("untaken_reply_bytes", "Replies that users have not read yet", self.untaken_reply_bytes.clone());
        let help = "TCP connections that are nobody's socket";
        r.register("pending_connections", help, self.pending_connections.clone());
        for flag in TURNED_AWAY {
            self.turned_away.get_or_create(&[("limit", flag)]).inc_by(0);
        }
        let help = "Connections that were not let in, by the flag that limits them";
        r.register("connections_turned_away", help, self.turned_away.clone());
        r.register("redis_errors", "Times Redis was out of reach or failed", self.redis_errors.clone());
        r.register("presence_lookups", "Users looked up in Redis", self.lookups.clone());
        r.register("webhooks_delivered", "Flips that the webhook took", self.webhooks_delivered.clone());
        r.register("webhooks_retried", "Attempts that failed and were repeated", self.webhooks_retried.clone());
        r.register("webhooks_failed", "Flips that the webhook never took", self.webhooks_failed.clone());
    }
}

impl Snapshot {
    fn register(&self, r: &mut Registry) {
        let Census { connections, online_users, watching_connections, .. } = self.census;
        let Census { subscriptions, watched_users, watched_channels, .. } = self.census;
        let Census { queued_events, longest_queue, flaps_held_back, .. } = self.census;
        let Census { cut_off, in_doubt, .. } = self.census;
        let by_transport = Family::<Label, Gauge>::default();
        by_transport.get_or_create(&[("transport", "websocket")]).set(count(connections.saturating_sub(self.sessions)));
        by_transport.get_or_create(&[("transport", "longpoll")]).set(count(self.sessions));
        r.register("connections", "Live connections", by_transport);
        for (name, help, value) in [
            ("online_users", "Users whom others see as online", online_users),
            ("watching_connections", "Connections that watch users or channels", watching_connections),
            ("presence_subscriptions", "Users that connections watch, for each connection", subscriptions),
            ("watched_users", "Users whom at least one connection watches", watched_users),
            ("watched_channels", "Channels that at least one connection watches", watched_channels),
            ("queued_events", "Events that wait for connections to read them", queued_events),
            ("longest_queue_events", "Events that wait for the connection that is furthest behind", longest_queue),
            ("cut_off", "1 while the other servers are out of reach", usize::from(cut_off)),
            ("in_doubt", "1 while what is shown of others may be wrong", usize::from(in_doubt)),
            ("webhooks_waiting", "Flips that the webhook has not taken yet", self.webhooks_waiting),
        ] {
            r.register(name, help, ConstGauge::new(count(value)));
        }
        let delay = ConstGauge::new(self.webhook_delay.as_secs_f64());
        r.register_with_unit("webhooks_oldest_age", "How long the first of those has waited", Unit::Seconds, delay);
        let flaps = ConstCounter::new(flaps_held_back);
        r.register("flaps_held_back", "Returns not shown at once, of users who come and go all the time", flaps);
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
