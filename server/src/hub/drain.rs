//! How the hub comes to its end: nobody new, everybody out, everything told.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

use super::{Hub, Notice};

/// How often some connections are ended.
const PACE: Duration = Duration::from_millis(10);

impl Hub {
    /// Lets no new connection in, and ends the others with the close code: few at a time, so that
    /// they do not all come back in one moment, but all within `window`.
    pub async fn drain(&self, code: u16, window: Duration) {
        let connections = {
            let mut state = self.lock();
            state.closing = true;
            for user in state.registry.online_users() {
                state.notify(Notice::Active { user: user.clone() });
            }
            state.outboxes.keys().copied().collect::<Vec<_>>()
        };
        self.shared.sooner.notify_one();
        let steps = (window.as_millis() / PACE.as_millis()).max(1);
        let a_step = connections.len().div_ceil(usize::try_from(steps).unwrap_or(usize::MAX)).max(1);
        for some in connections.chunks(a_step) {
            for connection in some {
                let outbox = self.lock().outboxes.remove(connection);
                if let Some(outbox) = outbox {
                    outbox.close(code);
                }
            }
            if !window.is_zero() {
                sleep(PACE).await;
            }
        }
    }

    /// Whether [`Hub::drain`] was called.
    pub fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// Waits until the last connection has ended after [`Hub::drain`].
    pub async fn drained(&self) {
        loop {
            let ended = self.shared.ended.notified();
            if self.connection_count() == 0 {
                return;
            }
            ended.await;
        }
    }

    /// Waits until everything that happened so far is told and written, and lets no more out.
    pub async fn finish(&self) {
        let (done, finished) = oneshot::channel();
        self.notify(Notice::Stop(done));
        // The announcer may have stopped before.
        let _ = finished.await;
    }
}
