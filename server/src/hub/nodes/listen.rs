//! Whom this node listens to, and how they stand.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::sleep;

use super::Nodes;
use super::profiles::Told;
use crate::cluster::{Link, Seen, Topic};
use crate::hub::presences::Presence;
use crate::hub::{Hub, Notice};
use crate::presence::{Cid, UserId};
use crate::store;

/// Users looked up in one go.
const CHUNK: usize = 500;
/// By how much the clocks of two nodes may differ.
const CLOCKS: Duration = Duration::from_secs(1);

/// A user is on their way here. As long as it lives, what is for them is heard.
#[must_use]
pub struct Arrival {
    hub: Hub,
    user: UserId,
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let Some(nodes) = &self.hub.shared.nodes else { return };
        let mut arriving = nodes.arriving();
        if let Some(count) = arriving.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                arriving.remove(&self.user);
            }
        }
    }
}

impl Hub {
    /// What is for the user is heard from now on, however long it takes until they are here.
    pub async fn expect(&self, user: &UserId) -> Arrival {
        let arrival = Arrival { hub: self.clone(), user: user.clone() };
        if let Some(nodes) = &self.shared.nodes {
            *nodes.arriving().entry(user.clone()).or_default() += 1;
        }
        self.listen_to_users([user.clone()]).await;
        arrival
    }

    pub(super) fn is_awaited(&self, user: &str) -> bool {
        self.shared.nodes.as_ref().is_some_and(|nodes| nodes.arriving().contains_key(user))
    }

    /// Hears of these users' flips from now on, and of what is for their connections.
    pub(in crate::hub) async fn listen_to_users(&self, users: impl IntoIterator<Item = UserId>) {
        let Some(nodes) = &self.shared.nodes else { return };
        let users: Vec<UserId> = users.into_iter().collect();
        let expect = || {
            let mut heard = nodes.heard();
            users.iter().for_each(|user| heard.expect(user));
        };
        let topics: Vec<_> = users.iter().cloned().map(Topic::User).collect();
        match nodes.cluster.listen(&topics, expect).await {
            Ok(seen) => {
                let mut heard = nodes.heard();
                seen.iter().for_each(|(user, seen)| heard.begin(user, *seen));
            }
            Err(_) => {
                for user in users {
                    let online = self.seen_here(&user).online;
                    nodes.heard().presume(&user, online);
                }
            }
        }
    }

    /// Hears of what happens in these channels from now on.
    pub async fn listen_to_channels(&self, cids: &[Cid]) {
        let Some(nodes) = &self.shared.nodes else { return };
        let topics: Vec<_> = cids.iter().cloned().map(Topic::Channel).collect();
        // Out of reach they are listened to as soon as they can be.
        let _ = nodes.cluster.listen(&topics, || {}).await;
    }

    /// How these users stand with all nodes together; while Redis is out of reach, as was last heard.
    pub(in crate::hub) async fn presence_anywhere(
        &self,
        nodes: &Nodes,
        users: Vec<UserId>,
    ) -> HashMap<UserId, Presence> {
        let seen = match nodes.cluster.look_up(&users).await {
            Ok(seen) => seen,
            Err(_) => users.iter().map(|user| self.seen_here(user)).collect(),
        };
        let heard = nodes.heard();
        let stands = |user: &UserId, seen: Seen| {
            let known = heard.online(user).filter(|_| seen.seq == 0 || heard.is_ahead_of(user, seen));
            let online = known.unwrap_or(seen.online);
            Presence { online, in_sight: seen.in_sight, connected: seen.connected }
        };
        users.into_iter().zip(seen).map(|(user, seen)| (user.clone(), stands(&user, seen))).collect()
    }

    /// The users who are connected here, invisible or not.
    pub(in crate::hub) fn connected_users(&self) -> Vec<UserId> {
        self.lock().registry.connected_users().cloned().collect()
    }

    /// How the user stands with this node alone.
    fn seen_here(&self, user: &str) -> Seen {
        let Presence { online, in_sight, connected } = Presence::here(&self.lock().registry, user);
        Seen { online, in_sight, connected, seq: 0 }
    }

    /// Looks at everybody who is listened to, after flips may have been missed, and tells those who watch
    /// them what they do not know.
    pub(super) async fn mend_all(&self, deaf: Option<Duration>) {
        let Some(nodes) = &self.shared.nodes else { return };
        let users = nodes.cluster.listened_users();
        if let Some(from) = deaf.and_then(|deaf| store::now().checked_sub(deaf + CLOCKS).ok()) {
            // What was done to them, or said of them, was not heard here.
            users.iter().for_each(|user| nodes.hear_change(user.clone(), Told::IfSince(from)));
        }
        nodes.heard().doubt_all();
        let mut forgotten = Vec::new();
        for some in users.chunks(CHUNK) {
            let Ok(seen) = nodes.cluster.look_up(some).await else { return };
            for (user, seen) in some.iter().zip(seen) {
                if nodes.heard().is_ahead_of(user, seen) {
                    forgotten.push(user.clone());
                } else {
                    self.mend(nodes, user, seen);
                }
            }
        }
        if let Some(link) = nodes.cluster.link().filter(|_| !forgotten.is_empty()) {
            let hub = self.clone();
            tokio::spawn(async move { hub.mend_forgotten(link, forgotten).await });
        }
    }

    /// Redis has lost the last flips of these users: their nodes have as long as a lease to say again how
    /// they stand. After another third begins the clearing up of leases that ended, and has the next for it.
    async fn mend_forgotten(&self, link: Link, users: Vec<UserId>) {
        let Some(nodes) = &self.shared.nodes else { return };
        sleep(nodes.cluster.lease() * 5 / 3).await;
        for some in users.chunks(CHUNK) {
            // Over another link everybody is looked up again.
            if !nodes.cluster.is_linked_by(&link) {
                return;
            }
            let Ok(seen) = nodes.cluster.look_up(some).await else { return };
            some.iter().zip(seen).for_each(|(user, seen)| self.mend(nodes, user, seen));
        }
    }

    fn mend(&self, nodes: &Nodes, user: &UserId, seen: Seen) {
        let untold = nodes.heard().mend(user, seen);
        if untold {
            self.notify(Notice::Missed { user: user.clone() });
        }
    }
}
