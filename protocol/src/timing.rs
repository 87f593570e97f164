//! Intervals, in milliseconds.

/// How often each side says it is alive.
pub const HEALTH_CHECK_EVERY: u64 = 25_000;
/// A client that heard nothing for this long no longer believes what it shows: a health check
/// has then been out for five seconds.
pub const DOUBT_AFTER: u64 = 30_000;
/// A client that heard nothing for this long takes the connection for dead.
pub const DEAD_AFTER: u64 = 35_000;
/// A server that heard nothing for this long, not even the pongs that a WebSocket sends by itself,
/// drops the socket.
pub const SILENT_AFTER: u64 = 25_000;
/// How often `last_active` is refreshed while a user stays connected.
pub const LAST_ACTIVE_EVERY: u64 = 15 * 60 * 1000;
/// How long a client keeps quiet about a lost connection, so that a blip shows nobody a banner.
pub const OFFLINE_NOTICE_AFTER: u64 = 5_000;
