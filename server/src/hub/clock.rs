//! The one timer of presence: wakes the registry when a grace ends or a refresh is due.

use std::time::Instant;

use super::Hub;

pub(super) async fn run(hub: Hub) {
    loop {
        let (due, closing) = {
            let state = hub.lock();
            (state.registry.poll_timeout(), state.closing)
        };
        if closing {
            return;
        }
        let sleep = async {
            match due {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep => hub.update(|state, now: Instant| state.registry.handle_timeout(now)),
            () = hub.shared.sooner.notified() => {}
        }
    }
}
