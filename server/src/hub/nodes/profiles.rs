//! What other nodes changed in the profiles of users who are here: read again, because that is right
//! whatever the order in which two nodes' words arrive.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::hub::Hub;
use crate::presence::UserId;
use crate::profile::ProfileLocks;
use crate::store::Store;

const RETRY: Duration = Duration::from_millis(500);

pub(super) async fn run(
    hub: Hub,
    mut changes: mpsc::UnboundedReceiver<(UserId, bool)>,
    store: Arc<dyn Store>,
    profiles: Arc<ProfileLocks>,
) {
    while let Some((user, visibly)) = changes.recv().await {
        loop {
            let _guards = profiles.lock([&*user]).await;
            match store.user(&user).await {
                Ok(profile) => {
                    if let Some(profile) = profile {
                        hub.set_invisible(&user, profile.invisible);
                    }
                    break;
                }
                Err(error) => tracing::error!(%error, "a profile that another node changed waits for the database"),
            }
            sleep(RETRY).await;
        }
        if visibly {
            hub.user_updated(&user);
        }
    }
}
