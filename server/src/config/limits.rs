//! What one caller, or all together, may take from the server.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;
use rollcall_protocol::limits;

use super::duration;
use crate::{query, store};

/// The flags of the table "Limits" in `docs/OPERATIONS.md`.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// How long a client may take over a TLS handshake, or over the header of a request
    #[arg(long, env = "ROLLCALL_HEADER_TIMEOUT", default_value = "30s", value_parser = some_time)]
    pub header_timeout: Duration,

    /// How long the headers of a request may be, in bytes; with the address, twice as much
    #[arg(long, env = "ROLLCALL_HEADER_BYTES", default_value_t = 32_768, value_parser = clap::value_parser!(u32).range(8192..))]
    pub header_bytes: u32,

    /// How long a client may take over the body of a request
    #[arg(long, env = "ROLLCALL_BODY_TIMEOUT", default_value = "30s", value_parser = some_time)]
    pub body_timeout: Duration,

    /// How long a client may take nothing of what is sent to it
    #[arg(long, env = "ROLLCALL_WRITE_TIMEOUT", default_value = "30s", value_parser = some_time)]
    pub write_timeout: Duration,

    /// Requests of one user at a time, until their replies are read; 0 for any number
    #[arg(long, env = "ROLLCALL_REQUESTS_AT_ONCE", default_value_t = 100)]
    pub requests_at_once: usize,

    /// Bytes of replies that are not read yet, a quarter of it for one user; 0 for any number
    #[arg(long, env = "ROLLCALL_REPLY_BYTES", default_value_t = 256 * 1024 * 1024)]
    pub reply_bytes: usize,

    /// How long the body of a request may be, in bytes
    #[arg(long, env = "ROLLCALL_BODY_BYTES", default_value_t = 1024 * 1024, value_parser = at_least_one)]
    pub body_bytes: usize,

    /// How long a frame from a client may be, in bytes
    #[arg(long, env = "ROLLCALL_FRAME_BYTES", default_value_t = 64 * 1024, value_parser = clap::value_parser!(u32).range(1024..))]
    pub frame_bytes: u32,

    /// Users that one request may write
    #[arg(long, env = "ROLLCALL_USERS_PER_UPSERT", default_value_t = limits::USERS_PER_REQUEST, value_parser = at_least_one)]
    pub users_per_upsert: usize,

    /// How long the custom data of a user, channel, member or message may be, in bytes of JSON
    #[arg(long, env = "ROLLCALL_CUSTOM_DATA_BYTES", default_value_t = limits::CUSTOM_DATA_BYTES, value_parser = at_least_one)]
    pub custom_data_bytes: usize,

    /// Levels of $and, $or and $nor in a filter
    #[arg(long, env = "ROLLCALL_FILTER_DEPTH", default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=50))]
    pub filter_depth: u8,

    /// Conditions in a filter
    #[arg(long, env = "ROLLCALL_FILTER_CONDITIONS", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub filter_conditions: u16,

    /// Values that a filter lists
    #[arg(long, env = "ROLLCALL_FILTER_VALUES", default_value_t = 1000, value_parser = clap::value_parser!(u16).range(1..=30_000))]
    pub filter_values: u16,

    /// How long a query of the database may take; 0 for any time
    #[arg(long, env = "ROLLCALL_QUERY_TIMEOUT", default_value = "5s", value_parser = duration)]
    pub query_timeout: Duration,

    /// Members of a channel whose presence one watch subscribes to; 0 for all
    #[arg(long, env = "ROLLCALL_CHANNEL_PRESENCE_LIMIT", default_value_t = limits::CHANNEL_PRESENCE)]
    pub channel_presence_limit: usize,

    /// Users whose presence one connection may subscribe to
    #[arg(long, env = "ROLLCALL_SUBSCRIPTIONS_PER_CONNECTION", default_value_t = 10_000, value_parser = at_least_one)]
    pub subscriptions_per_connection: usize,

    /// Events that may wait for a slow reader before its connection is closed
    #[arg(long, env = "ROLLCALL_EVENT_QUEUE", default_value_t = 1024, value_parser = at_least_one)]
    pub event_queue: usize,

    /// TCP connections that are nobody's socket, or not yet; 0 for three quarters of the files that may be open
    #[arg(long, env = "ROLLCALL_PENDING_CONNECTIONS", default_value_t = 0)]
    pub pending_connections: usize,

    /// Connections that there may be; 0 for as many as files may be open
    #[arg(long, env = "ROLLCALL_CONNECTIONS", default_value_t = 0)]
    pub connections: usize,

    /// Connections that are opened at a time; the others wait
    #[arg(long, env = "ROLLCALL_CONNECTS_AT_ONCE", default_value_t = 64, value_parser = at_least_one)]
    pub connects_at_once: usize,

    /// How long a connection waits to be opened before it is told to come back
    #[arg(long, env = "ROLLCALL_CONNECT_PATIENCE", default_value = "5s", value_parser = duration)]
    pub connect_patience: Duration,

    /// Connections that one user may have; 0 for any number
    #[arg(long, env = "ROLLCALL_CONNECTIONS_PER_USER", default_value_t = 50)]
    pub connections_per_user: usize,

    /// Connections that all who are nobody in particular may have together; 0 for any number
    #[arg(long, env = "ROLLCALL_ANONYMOUS_CONNECTIONS", default_value_t = 5000)]
    pub anonymous_connections: usize,

    /// How long a connection may be silent before it is asked for a sign of life
    #[arg(long, env = "ROLLCALL_PING_AFTER", default_value = "10s", value_parser = duration)]
    pub ping_after: Duration,

    /// How long a connection may be silent before it is given up
    #[arg(long, env = "ROLLCALL_IDLE_TIMEOUT", default_value = "25s", value_parser = duration)]
    pub idle_timeout: Duration,

    /// Requests of one user to one endpoint in a minute, connects among them, and guests that all make who have
    /// no token; 0 for no limit
    #[arg(long, env = "ROLLCALL_USER_REQUESTS_PER_MINUTE", default_value_t = 600)]
    pub user_requests_per_minute: u32,

    /// How many times the hosted service's limits all users of a platform have together; 0 for no limit
    #[arg(long, env = "ROLLCALL_RATE_LIMIT_SCALE", default_value_t = 100)]
    pub rate_limit_scale: u32,
}

impl Limits {
    /// How large a filter may be.
    pub fn filter(&self) -> query::Limits {
        query::Limits {
            depth: self.filter_depth.into(),
            conditions: self.filter_conditions.into(),
            values: self.filter_values.into(),
        }
    }

    /// What the database refuses.
    pub fn store(&self) -> store::Limits {
        store::Limits { custom_data_bytes: self.custom_data_bytes, query_time: self.query_timeout }
    }
}

/// A number that 0 would make senseless.
fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text.parse::<NonZeroUsize>().map_err(|error| error.to_string())?;
    Ok(number.get())
}

/// A time that 0 would make senseless.
fn some_time(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time.is_zero() { Err("it must be more than 0".to_owned()) } else { Ok(time) }
}
