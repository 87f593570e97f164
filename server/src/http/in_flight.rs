//! What users have asked for and not taken yet. A reply stays in memory until its client has read it,
//! and whoever never does must not fill it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use prometheus_client::metrics::gauge::Gauge;
use rollcall_protocol::ErrorCode;

use crate::auth::ANONYMOUS;
use crate::error::ApiError;
use crate::presence::UserId;

/// One user may leave untaken this part of what all may.
const SHARE: usize = 4;

/// Counts requests from their arrival until their replies are taken.
#[derive(Debug, Default)]
pub struct InFlight {
    requests_per_user: usize,
    reply_bytes: usize,
    held: Mutex<Held>,
    gauge: Gauge,
}

#[derive(Debug, Default)]
struct Held {
    bytes: usize,
    users: HashMap<UserId, Share>,
}

#[derive(Debug, Default)]
struct Share {
    requests: usize,
    bytes: usize,
}

/// A request that is in flight, until the last clone of this is dropped.
#[derive(Clone, Debug)]
pub struct Ticket(Arc<Request>);

#[derive(Debug)]
struct Request {
    in_flight: Arc<InFlight>,
    user: UserId,
}

impl InFlight {
    /// So many requests of one user, and so many bytes of replies in all, which `gauge` shows. Either 0
    /// for any number.
    pub fn new(requests_per_user: usize, reply_bytes: usize, gauge: Gauge) -> Self {
        Self { requests_per_user, reply_bytes, gauge, held: Mutex::default() }
    }

    /// Counts one more request of the user, or refuses it. Those who are nobody have any number, and
    /// share what one user has of replies.
    pub fn begin(self: &Arc<Self>, user: &UserId) -> Result<Ticket, ApiError> {
        let mut held = self.lock();
        let share = held.users.entry(user.clone()).or_default();
        if self.requests_per_user != 0 && share.requests >= self.requests_per_user && **user != *ANONYMOUS {
            return Err(too_many());
        }
        share.requests += 1;
        Ok(Ticket(Arc::new(Request { in_flight: self.clone(), user: user.clone() })))
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// The reply as what is sent: the request ends when the last byte of it is with the system, or the
    /// connection is closed. Refused when too much is untaken already; a user who has taken all there was
    /// gets what they asked for, however long it is.
    pub fn hold(self, reply: Vec<u8>) -> Result<Bytes, ApiError> {
        let InFlight { reply_bytes: most, .. } = *self.0.in_flight;
        let bytes = reply.capacity();
        let fits = |untaken: usize, most: usize| untaken == 0 || untaken.saturating_add(bytes) <= most;
        let refused = self.update(|untaken, own| {
            if most != 0 && !(fits(*own, most / SHARE) && fits(*untaken, most)) {
                return true;
            }
            *untaken += bytes;
            *own += bytes;
            false
        });
        match refused {
            true => Err(too_many()),
            false => Ok(Bytes::from_owner(Untaken { reply, ticket: self })),
        }
    }

    /// Changes how much is untaken, by all and by this user.
    fn update<T>(&self, change: impl FnOnce(&mut usize, &mut usize) -> T) -> T {
        let mut held = self.0.in_flight.lock();
        let Held { bytes, users } = &mut *held;
        let outcome = change(bytes, &mut users.entry(self.0.user.clone()).or_default().bytes);
        self.0.in_flight.gauge.set(i64::try_from(*bytes).unwrap_or(i64::MAX));
        outcome
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let mut held = self.in_flight.lock();
        if let Some(share) = held.users.get_mut(&self.user) {
            share.requests -= 1;
            if share.requests == 0 {
                held.users.remove(&self.user);
            }
        }
    }
}

/// A reply that somebody has yet to read.
struct Untaken {
    reply: Vec<u8>,
    ticket: Ticket,
}

impl AsRef<[u8]> for Untaken {
    fn as_ref(&self) -> &[u8] {
        &self.reply
    }
}

impl Drop for Untaken {
    fn drop(&mut self) {
        let bytes = self.reply.capacity();
        self.ticket.update(|untaken, own| {
            *untaken -= bytes;
            *own -= bytes;
        });
    }
}

fn too_many() -> ApiError {
    let message = "too many requests at a time, or too many replies that are not read";
    ApiError::temporary(ErrorCode::RateLimited, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(requests_per_user: usize, reply_bytes: usize) -> Arc<InFlight> {
        Arc::new(InFlight::new(requests_per_user, reply_bytes, Gauge::default()))
    }

    #[test]
    fn a_user_has_so_many_requests_and_nobody_elses() {
        let in_flight = counting(2, 0);
        let (ada, bob) = ("ada".into(), "bob".into());
        let first = in_flight.begin(&ada).unwrap();
        let _second = in_flight.begin(&ada).unwrap();
        assert_eq!(in_flight.begin(&ada).unwrap_err().code(), ErrorCode::RateLimited);
        assert!(in_flight.begin(&bob).is_ok());
        drop(first);
        assert!(in_flight.begin(&ada).is_ok());
    }

    #[test]
    fn a_user_holds_a_quarter_of_what_all_may_and_at_least_one_reply() {
        let in_flight = counting(0, 400);
        let hold = |user: &str, bytes| in_flight.begin(&user.into()).unwrap().hold(vec![0; bytes]);
        let long = hold("ada", 200).unwrap();
        assert!(hold("ada", 1).is_err());
        drop(long);
        let ada = [hold("ada", 50).unwrap(), hold("ada", 50).unwrap()];
        assert!(hold("ada", 1).is_err());
        assert_eq!(in_flight.gauge.get(), 100);

        let others = ["bob", "cy", "dan"].map(|user| hold(user, 100).unwrap());
        assert!(hold("eve", 1).is_err(), "there is no more for anybody");
        drop(ada);
        assert!(hold("eve", 100).is_ok());
        drop(others);
        assert_eq!((in_flight.gauge.get(), in_flight.lock().users.len()), (0, 0));
    }
}
