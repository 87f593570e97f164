//! How often an endpoint may be called: so many requests a minute, per platform and per user.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use crate::auth::ANONYMOUS;
use crate::endpoint::Endpoint;
use crate::error::ApiError;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The SDK families the hosted service counts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    ServerSide,
    Web,
    Android,
    Ios,
}

impl Platform {
    pub const ALL: &'static [Self] = &[Self::ServerSide, Self::Web, Self::Android, Self::Ios];

    /// The name in `GET /rate_limits`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ServerSide => "server_side",
            Self::Web => "web",
            Self::Android => "android",
            Self::Ios => "ios",
        }
    }

    /// Reads the `X-Stream-Client` a caller sent; a server-side token settles it alone.
    pub fn of(client: &str, server_side: bool) -> Self {
        if server_side {
            Self::ServerSide
        } else if client.contains("android") {
            Self::Android
        } else if client.contains("swift") || client.contains("ios") {
            Self::Ios
        } else {
            Self::Web
        }
    }
}

/// What is left of an endpoint's window for one caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Allowance {
    /// Requests in a window.
    pub limit: u32,
    /// Requests left in this window.
    pub remaining: u32,
    /// When the next window begins, in seconds since 1970.
    pub reset: i64,
}

impl Allowance {
    /// Writes the `X-RateLimit-…` headers.
    pub fn write(self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, self.limit.into());
        headers.insert(REMAINING, self.remaining.into());
        headers.insert(RESET, HeaderValue::from(self.reset));
    }

    /// Whether the headers say what is left.
    pub fn is_written(headers: &HeaderMap) -> bool {
        headers.contains_key(LIMIT)
    }
}

/// Counts requests in windows of one minute. All windows turn together, which lets one `clear`
/// forget every caller of the minute before.
#[derive(Debug, Default)]
pub struct RateLimiter {
    scale: u32,
    per_user: u32,
    window: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    minute: i64,
    platforms: HashMap<(&'static str, Platform), u32>,
    users: HashMap<(&'static str, Box<str>), u32>,
}

impl RateLimiter {
    /// `scale`: how many times an endpoint's own limit a platform may use; `per_user`: requests per
    /// minute of one user to one endpoint. Either 0 for no limit.
    pub fn new(scale: u32, per_user: u32) -> Self {
        Self { scale, per_user, window: Mutex::default() }
    }

    /// Counts one request made at `now` (seconds since 1970) and says what is left, or refuses it.
    pub fn take(
        &self,
        endpoint: Endpoint,
        platform: Platform,
        user: Option<&str>,
        now: i64,
    ) -> (Allowance, Result<(), ApiError>) {
        let mut window = self.window_at(now);
        let reset = end_of_window(now);
        let shared = self.limit_of(endpoint);
        // The user's own limit first: who is over it does not use up everybody's.
        let own = user.map(|user| {
            let limit = if self.per_user == 0 { shared } else { self.per_user };
            allow(window.users.entry((endpoint.name, user.into())).or_default(), limit, reset)
        });
        let allowance = own.transpose().and_then(|own| {
            let all = allow(window.platforms.entry((endpoint.name, platform)).or_default(), shared, reset)?;
            Ok(match (platform, own) {
                (Platform::ServerSide, _) => all,
                (_, Some(own)) if user != Some(ANONYMOUS) => own,
                (_, Some(Allowance { limit, .. })) => whole(limit, now),
                (_, None) => whole(shared, now),
            })
        });
        match allowance {
            Ok(allowance) => (allowance, Ok(())),
            Err(limit) => {
                let refused = Allowance { limit, remaining: 0, reset };
                let seconds = reset - now;
                let message = format!("Too many requests, limit is {limit} per minute, try again in {seconds} seconds");
                (refused, Err(ApiError::rate_limited(message, u32::try_from(seconds).unwrap_or(60))))
            }
        }
    }

    /// What a stranger is told, who uses up nothing.
    pub fn untouched(&self, endpoint: Endpoint, now: i64) -> Allowance {
        whole(self.limit_of(endpoint), now)
    }

    /// What is left for `platform`, without counting a request.
    pub fn peek(&self, endpoint: Endpoint, platform: Platform, now: i64) -> Allowance {
        let window = self.window_at(now);
        let used = window.platforms.get(&(endpoint.name, platform)).copied();
        Allowance {
            limit: self.limit_of(endpoint),
            remaining: self.limit_of(endpoint).saturating_sub(used.unwrap_or(0)),
            reset: end_of_window(now),
        }
    }

    fn limit_of(&self, endpoint: Endpoint) -> u32 {
        match self.scale {
            0 => u32::MAX,
            scale => endpoint.per_minute.saturating_mul(scale),
        }
    }

    fn window_at(&self, now: i64) -> std::sync::MutexGuard<'_, Window> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now.div_euclid(60);
        if minute != window.minute {
            window.minute = minute;
            window.platforms.clear();
            window.users.clear();
        }
        window
    }
}

/// What is left of what nobody counts, such as `/hi` and addresses where there is nothing.
pub fn unlimited(now: i64) -> Allowance {
    whole(u32::MAX, now)
}

/// All of `limit`. What others use up of it is told to the application alone: a count that moves
/// while nobody else is online tells of somebody who hides.
fn whole(limit: u32, now: i64) -> Allowance {
    Allowance { limit, remaining: limit, reset: end_of_window(now) }
}

/// When the window of `now` ends, in seconds since 1970.
fn end_of_window(now: i64) -> i64 {
    (now.div_euclid(60) + 1) * 60
}

/// Counts one request, or returns the limit that refuses it.
fn allow(used: &mut u32, limit: u32, reset: i64) -> Result<Allowance, u32> {
    if *used >= limit {
        return Err(limit);
    }
    *used += 1;
    Ok(Allowance { limit, remaining: limit - *used, reset })
}

#[cfg(test)]
mod tests {
    use rollcall_protocol::ErrorCode;

    use super::*;
    use crate::endpoint::QUERY_USERS;

    #[test]
    fn a_window_ends_with_its_minute() {
        let limiter = RateLimiter::new(1, 2);
        let take = |user, now| limiter.take(QUERY_USERS, Platform::Web, Some(user), now);

        assert_eq!(take("ada", 60).0.remaining, 1);
        assert!(take("ada", 61).1.is_ok());
        let (allowance, refused) = take("ada", 119);
        assert_eq!((allowance.remaining, allowance.reset), (0, 120));
        let refused = refused.unwrap_err();
        assert_eq!((refused.code(), refused.retry_after()), (ErrorCode::RateLimited, Some(1)));
        assert!(take("bob", 119).1.is_ok(), "one user never uses up another's");
        assert!(take("ada", 120).1.is_ok());
    }

    #[test]
    fn what_others_use_up_is_told_to_the_application_alone() {
        let limiter = RateLimiter::new(1, 0);
        let take = |platform, user| limiter.take(QUERY_USERS, platform, user, 60).0.remaining;

        let (ada, nobody) = (take(Platform::Web, Some("ada")), take(Platform::Web, None));
        for _ in 0..3 {
            take(Platform::Web, Some("bob"));
        }
        assert_eq!((take(Platform::Web, Some("ada")), take(Platform::Web, None)), (ada - 1, nobody));
        assert_eq!(limiter.untouched(QUERY_USERS, 60).remaining, QUERY_USERS.per_minute);
        assert_eq!(limiter.peek(QUERY_USERS, Platform::Web, 60).remaining, QUERY_USERS.per_minute - 7);
        let server_side = take(Platform::ServerSide, None);
        assert_eq!(take(Platform::ServerSide, None), server_side - 1);
    }
}
