//! How many connections are opened at a time. When all come at once, as after a restart, some wait
//! their turn and the rest are told to come back, so that the server keeps up with those it serves.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::error::ApiError;

/// Hands out turns.
pub struct Admission {
    turns: Semaphore,
    patience: Duration,
}

impl Admission {
    /// So many turns `at_once`, for each of which a connection waits as long as `patience`.
    pub fn new(at_once: usize, patience: Duration) -> Self {
        Self { turns: Semaphore::new(at_once.min(Semaphore::MAX_PERMITS)), patience }
    }

    /// Waits for a turn, which lasts until what is returned is dropped.
    pub async fn turn(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        match timeout(self.patience, self.turns.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
    }
}

/// Who is turned away is told to come back within so many seconds.
const SPREAD: u32 = 8;

/// The server takes no more just now. Over a socket this is close code 1013, which makes an SDK
/// come back by itself; an error frame would make it give up.
pub fn busy() -> ApiError {
    static TURNED_AWAY: AtomicU32 = AtomicU32::new(0);
    // One is told a second more than the one before, so that they do not all come back at once.
    let seconds = 1 + TURNED_AWAY.fetch_add(1, Ordering::Relaxed) % SPREAD;
    ApiError::rate_limited(format!("the server is busy: {}", retry_after(seconds)), seconds)
}

/// What the reason of a close says to programs and to people alike.
pub fn retry_after(seconds: u32) -> String {
    format!("retry after {seconds} s")
}
