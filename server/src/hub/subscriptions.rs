//! What connections subscribe to, wherever they are: of a connection that another node has, that node is
//! asked.

use super::{Hub, Unreachable};
use crate::cluster::{Order, Question};
use crate::presence::watchers::Scope;
use crate::presence::{Cid, ConnectionId, UserId};

impl Hub {
    /// Whose connection it is; `None` when it ended or never was.
    pub async fn connection_owner(&self, connection: ConnectionId) -> Result<Option<UserId>, Unreachable> {
        match self.elsewhere(connection, |connection| Question::Owner { connection }).await {
            Some(owner) => owner.map(Option::flatten),
            None => Ok(self.owner_here(connection)),
        }
    }

    pub(super) fn owner_here(&self, connection: ConnectionId) -> Option<UserId> {
        self.lock().registry.owner(connection).cloned()
    }

    /// Subscribes the connection to the presence of users, in their order. Returns of each scope
    /// how many were left out because the connection has as many as it may.
    ///
    /// It has its turn among the events: what flipped before is told to those who watched before,
    /// what flips from now on is told to this connection too. Subscribe before reading what the
    /// reply says: then no flip is lost between the two, and none that the reply shows is late,
    /// unless telling is so slow that the connection cannot wait for its turn.
    pub async fn subscribe_presence(
        &self,
        connection: ConnectionId,
        wanted: Vec<(Scope, Vec<UserId>)>,
    ) -> Result<Vec<usize>, Unreachable> {
        let question = |connection| {
            let lists = wanted.iter().map(|(scope, users)| match scope {
                Scope::Users => (None, users.clone()),
                Scope::Channel(cid) => (Some(cid.clone()), users.clone()),
            });
            Question::Subscribe { connection, wanted: lists.collect() }
        };
        match self.elsewhere(connection, question).await {
            Some(omitted) => omitted.map(Option::unwrap_or_default),
            None => Ok(self.subscribe_here(connection, wanted).await),
        }
    }

    pub(super) async fn subscribe_here(
        &self,
        connection: ConnectionId,
        wanted: Vec<(Scope, Vec<UserId>)>,
    ) -> Vec<usize> {
        self.listen_to_users(wanted.iter().flat_map(|(_, users)| users.iter().cloned())).await;
        self.in_turn(move |hub| {
            hub.update(|state, _| {
                let lives = state.registry.owner(connection).is_some();
                let wanted = wanted.into_iter();
                wanted
                    .map(|(scope, users)| if lives { state.watchers.subscribe(connection, scope, users) } else { 0 })
                    .collect()
            })
        })
        .await
    }

    /// The connection watches the channels; their other watchers hear of a user who is new there. Returns
    /// those that were left out because the connection watches as many as it may.
    pub async fn watch_channels(&self, connection: ConnectionId, cids: &[Cid]) -> Result<Vec<Cid>, Unreachable> {
        let question = |connection| Question::Watch { connection, cids: cids.to_vec() };
        match self.elsewhere(connection, question).await {
            Some(omitted) => omitted.map(Option::unwrap_or_default),
            None => Ok(self.watch_here(connection, cids).await),
        }
    }

    pub(super) async fn watch_here(&self, connection: ConnectionId, cids: &[Cid]) -> Vec<Cid> {
        self.listen_to_channels(cids).await;
        let omitted = self.update(|state, _| {
            let Some(user) = state.registry.owner(connection).cloned() else {
                return Vec::new();
            };
            for cid in cids {
                let is_news = state.registry.is_in_sight(&user) && !state.is_watching(&user, cid);
                if state.watchers.watch(connection, cid) && is_news {
                    state.notify_watching(&user, cid, true);
                }
            }
            cids.iter().filter(|cid| !state.watchers.watches(connection, cid)).cloned().collect()
        });
        self.shared().await;
        omitted
    }

    /// The connection stops watching the channel and the presence of its members.
    pub async fn stop_watching(&self, connection: ConnectionId, cid: &Cid) -> Result<(), Unreachable> {
        let question = |connection| Question::StopWatching { connection, cid: cid.clone() };
        match self.elsewhere(connection, question).await {
            Some(stopped) => stopped.map(Option::unwrap_or_default),
            None => {
                self.update(|state, _| state.unwatch(connection, cid));
                Ok(())
            }
        }
    }

    /// The user does not belong to the channel any more: no connection of theirs watches it.
    pub fn evict(&self, user: &UserId, cid: &Cid) {
        self.evict_here(user, cid);
        self.order(Order::Evict { user: user.clone(), cid: cid.clone() });
    }

    pub(super) fn evict_here(&self, user: &str, cid: &str) {
        self.update(|state, _| {
            let connections = state.registry.connections(user).to_vec();
            connections.into_iter().for_each(|connection| state.unwatch(connection, cid));
        });
    }

    /// The channel is gone: nobody watches it here any more.
    pub(super) fn forget_channel_here(&self, cid: &Cid) {
        self.update(|state, _| state.forget_channel(cid));
    }

    /// The channel is gone: nobody watches it any more. Returns once those who did were told
    /// everything published before.
    pub async fn forget_channel(&self, cid: &Cid) {
        let cid = cid.clone();
        self.order(Order::Forget { cid: cid.clone() });
        self.in_turn(move |hub| hub.forget_channel_here(&cid)).await
    }
}
