//! How many connections are opened at a time. When all come at once, as after a restart, some wait
//! their turn and the rest are told to come back, so that the server keeps up with those it serves.

use std::time::Duration;

use rollcall_protocol::ErrorCode;
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

/// The server takes no more just now. Over a socket this is close code 1013, which makes an SDK
/// come back by itself; an error frame would make it give up.
pub fn busy() -> ApiError {
    ApiError::new(ErrorCode::RateLimited, "the server is busy: come back in some seconds")
}
