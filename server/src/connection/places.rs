//! How many TCP connections there are: each takes an open file of the process, which the database needs
//! as well.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::metrics::Metrics;

/// Left for files that are not connections, of those that the process may open: a quarter, and no more
/// than this.
const OTHER_FILES: u64 = 256;

/// Gives places to connections.
pub struct Places {
    /// Connections there may be.
    most: usize,
    /// Those of them that may be nobody's socket.
    most_pending: usize,
    taken: Mutex<Taken>,
    metrics: Metrics,
}

#[derive(Default)]
struct Taken {
    all: usize,
    pending: usize,
}

/// A connection's place, until the last clone of this is dropped.
#[derive(Clone)]
pub struct Place(Arc<Held>);

struct Held {
    places: Arc<Places>,
    pending: AtomicBool,
}

impl Places {
    /// As many places as the process may open files, after asking the system for as many as it gives.
    /// `most_pending` of them are for connections that are nobody's socket; 0 for three
    /// quarters of all.
    pub fn new(most_pending: usize, metrics: Metrics) -> Self {
        // What it is, when it cannot be raised. Where the system tells of no limit there is none.
        let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX);
        let most = usize::try_from(files - OTHER_FILES.min(files / 4)).unwrap_or(usize::MAX);
        let most_pending = if most_pending == 0 { most / 4 * 3 } else { most_pending };
        Self { most, most_pending, taken: Mutex::default(), metrics }
    }

    /// A place for one more connection, if there is one.
    pub fn take(self: &Arc<Self>) -> Option<Place> {
        let mut taken = self.lock();
        let full = match () {
            () if taken.all >= self.most => Some("connections"),
            () if taken.pending >= self.most_pending => Some("pending-connections"),
            () => None,
        };
        if let Some(limit) = full {
            self.metrics.turn_away(limit);
            return None;
        }
        taken.all += 1;
        taken.pending += 1;
        self.metrics.pending_connections.inc();
        Some(Place(Arc::new(Held { places: self.clone(), pending: AtomicBool::new(true) })))
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// It is somebody's socket now.
    pub fn settle(&self) {
        self.0.settle();
    }
}

impl Held {
    fn settle(&self) {
        if self.pending.swap(false, Ordering::Relaxed) {
            self.places.lock().pending -= 1;
            self.places.metrics.pending_connections.dec();
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.settle();
        self.places.lock().all -= 1;
    }
}
