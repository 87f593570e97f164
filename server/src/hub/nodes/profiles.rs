//! What other nodes changed in the profiles of users who are here: read again, because that is right
//! whatever the order in which two nodes' words arrive.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rollcall_protocol::close;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::hub::Hub;
use crate::presence::UserId;
use crate::profile::{self, ProfileLocks};
use crate::store::{Store, StoreError, Timestamp, User};

/// Profiles read in one go.
const BATCH: usize = 256;
const RETRY: Duration = Duration::from_millis(500);

/// A user whose profile may have been changed, and when others are told.
pub(super) type Change = (UserId, Told);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Told {
    #[default]
    Never,
    /// If it was changed since.
    IfSince(Timestamp),
    Always,
}

pub(super) async fn run(
    hub: Hub,
    mut changes: mpsc::UnboundedReceiver<Change>,
    store: Arc<dyn Store>,
    profiles: Arc<ProfileLocks>,
) {
    let mut batch = Vec::new();
    while changes.recv_many(&mut batch, BATCH).await > 0 {
        let mut changed: BTreeMap<UserId, Told> = BTreeMap::new();
        for (user, told) in batch.drain(..) {
            let so_far = changed.entry(user).or_default();
            *so_far = told.max(*so_far);
        }
        while let Err(error) = read_again(&hub, &changed, &*store, &profiles).await {
            tracing::error!(%error, "profiles that other nodes changed wait for the database");
            sleep(RETRY).await;
        }
    }
}

async fn read_again(
    hub: &Hub,
    changed: &BTreeMap<UserId, Told>,
    store: &dyn Store,
    profiles: &ProfileLocks,
) -> Result<(), StoreError> {
    let _guards = profiles.lock(changed.keys().map(|user| &**user)).await;
    let ids: Vec<String> = changed.keys().map(|user| user.to_string()).collect();
    let users: BTreeMap<String, User> =
        store.users(&ids).await?.into_iter().map(|user| (user.id.clone(), user)).collect();
    for (id, told) in changed {
        let user = users.get(&**id).filter(|user| profile::admit(user).is_ok());
        match user {
            Some(user) => hub.set_invisible(id, user.invisible),
            None => hub.expel_here(id, close::POLICY),
        }
        let is_told = match told {
            Told::Never => false,
            // Whoever watches a user looked at them after they were made.
            Told::IfSince(from) => {
                user.is_some_and(|user| user.updated_at >= *from && user.updated_at > user.created_at)
            }
            Told::Always => true,
        };
        if is_told {
            hub.user_updated(id);
        }
    }
    Ok(())
}
