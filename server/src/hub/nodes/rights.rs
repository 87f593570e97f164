//! Who may be here, and watch what: read again from the database after orders of other nodes may have been
//! missed, for each of them is sent once.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use rollcall_protocol::close;
use tokio::time::sleep;

use crate::hub::Hub;
use crate::presence::{Cid, UserId};
use crate::readers::readers;
use crate::store::{Channel, Store, StoreError, Timestamp};

/// Users or channels read in one go.
const CHUNK: usize = 500;
const RETRY: Duration = Duration::from_millis(500);

/// Each time another node asks for it; asked for several times in between, once.
pub(super) async fn run(hub: Hub) {
    let Some(nodes) = &hub.shared.nodes else { return };
    loop {
        nodes.rights.notified().await;
        hub.check_rights().await;
    }
}

impl Hub {
    /// Does what other nodes may have ordered: ends connections whose tokens were revoked, and the watching
    /// of channels that are gone, or that are not for those who watch them any more. Users who were deleted
    /// or deactivated are put out when their profiles are read again.
    pub(super) async fn check_rights(&self) {
        let store = self.shared.nodes.as_ref().and_then(|nodes| nodes.store.get());
        let Some(store) = store else { return };
        while let Err(error) = self.try_check_rights(&**store).await {
            tracing::error!(%error, "who may still be here, and watch what, waits for the database");
            sleep(RETRY).await;
        }
    }

    async fn try_check_rights(&self, store: &dyn Store) -> Result<(), StoreError> {
        self.check_tokens(store).await?;
        self.check_watchers(store).await
    }

    async fn check_tokens(&self, store: &dyn Store) -> Result<(), StoreError> {
        let everybody = store.tokens_revoked_before().await?;
        for some in self.connected_users().chunks(CHUNK) {
            for user in store.users(&strings(some)).await? {
                let before = everybody.max(user.revoke_tokens_issued_before);
                let id: UserId = user.id.into();
                if before.is_some_and(|before| self.has_revoked(&id, before)) {
                    self.expel_here(&id, close::SERVICE_RESTART);
                }
            }
        }
        Ok(())
    }

    /// Whether a connection of the user was opened with a token that is accepted no more.
    fn has_revoked(&self, user: &str, before: Timestamp) -> bool {
        let state = self.lock();
        let mut visits = state.registry.connections(user).iter().filter_map(|connection| state.visits.get(connection));
        visits.any(|visit| visit.issued_at.is_revoked(before))
    }

    async fn check_watchers(&self, store: &dyn Store) -> Result<(), StoreError> {
        let watched: Vec<(Cid, Vec<UserId>)> = self.watched_channels().into_iter().collect();
        for some in watched.chunks(CHUNK) {
            let cids: Vec<String> = some.iter().map(|(cid, _)| cid.to_string()).collect();
            let channels = store.channels(&cids).await?.into_iter().map(|channel| (channel.cid.clone(), channel));
            let channels: HashMap<String, Channel> = channels.collect();
            for (cid, users) in some {
                let Some(channel) = channels.get(&**cid) else {
                    self.forget_channel_here(cid);
                    continue;
                };
                let may = readers(store, channel, strings(users)).await?;
                let may_not = users.iter().filter(|user| !may.contains(&***user));
                may_not.for_each(|user| self.evict_here(user, cid));
            }
        }
        Ok(())
    }

    /// The channels that are watched here, and by whom.
    fn watched_channels(&self) -> BTreeMap<Cid, Vec<UserId>> {
        let state = self.lock();
        let mut watched: BTreeMap<Cid, Vec<UserId>> = BTreeMap::new();
        for user in state.registry.connected_users() {
            for cid in state.watched_by(user) {
                watched.entry(cid).or_default().push(user.clone());
            }
        }
        watched
    }
}

fn strings(ids: &[UserId]) -> Vec<String> {
    ids.iter().map(|id| id.to_string()).collect()
}
