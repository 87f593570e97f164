//! How many connections are opened at a time. When all come at once, as after a restart, some wait
//! their turn and the rest are told to come back, so that the server keeps up with those it serves.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::error::ApiError;
use crate::metrics::Metrics;

/// Hands out turns.
pub struct Admission {
    turns: Semaphore,
    patience: Duration,
    metrics: Metrics,
}

impl Admission {
    /// So many turns `at_once`, for each of which a connection waits as long as `patience`.
    pub fn new(at_once: usize, patience: Duration, metrics: Metrics) -> Self {
        Self { turns: Semaphore::new(at_once.min(Semaphore::MAX_PERMITS)), patience, metrics }
    }

    /// Waits for a turn, which lasts until what is returned is dropped.
    pub async fn turn(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        match timeout(self.patience, self.turns.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => {
                self.metrics.turn_away("connect-patience");
                Err(ApiError::busy())
            }
        }
    }
}
