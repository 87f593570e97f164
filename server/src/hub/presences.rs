//! How users stand, for a reply that shows them.

use std::collections::HashMap;

use super::Hub;
use crate::presence::registry::Registry;
use crate::presence::{Cid, UserId};

/// How somebody stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// Others see the user as online.
    pub online: bool,
    /// Others see the user's connections, which do not hide.
    pub in_sight: bool,
    /// The user is connected, invisible or not. For the user's own eyes only.
    pub connected: bool,
}

impl Presence {
    /// How the user stands with this node alone.
    pub fn here(registry: &Registry, user: &str) -> Self {
        Self {
            online: registry.is_online(user),
            in_sight: registry.is_in_sight(user),
            connected: registry.is_connected(user),
        }
    }
}

/// How some users stand, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Presences(HashMap<UserId, Presence>);

impl Presences {
    /// Who was not asked for is away.
    pub fn of(&self, user: &str) -> Presence {
        self.0.get(user).copied().unwrap_or_default()
    }
}

impl Hub {
    /// How these users stand.
    pub async fn presence_of(&self, users: Vec<UserId>) -> Presences {
        if let Some(nodes) = &self.shared.nodes {
            return Presences(self.presence_anywhere(nodes, users).await);
        }
        let state = self.lock();
        let standing = users.into_iter().map(|user| (user.clone(), Presence::here(&state.registry, &user)));
        Presences(standing.filter(|(_, how)| *how != Presence::default()).collect())
    }

    /// The users whom others see watching each of the channels, by id. Their number is
    /// `watcher_count`.
    pub async fn watchers_of(&self, cids: &[Cid]) -> Vec<Vec<UserId>> {
        if let Some(nodes) = &self.shared.nodes
            && let Ok(watchers) = nodes.cluster.watchers(cids).await
        {
            return watchers;
        }
        let state = self.lock();
        cids.iter().map(|cid| state.visible_watchers(cid).into_iter().collect()).collect()
    }
}
