//! Who watches whom: connections on one side, users and channels on the other.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::{Cid, ConnectionId, UserId};

/// What made a connection subscribe to a user's presence. A user stays subscribed as long as
/// one scope names them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A query of users: lasts as long as the connection.
    Users,
    /// The members of a channel: lasts until the channel is no longer watched.
    Channel(Cid),
}

/// Both directions of every subscription of this node, and nothing of what ended.
#[derive(Debug, Default)]
pub struct Watchers {
    limit: usize,
    connections: HashMap<ConnectionId, Watching>,
    users: HashMap<UserId, HashMap<ConnectionId, usize>>,
    channels: HashMap<Cid, HashSet<ConnectionId>>,
    subscriptions: usize,
}

#[derive(Debug, Default)]
struct Watching {
    scopes: HashMap<Scope, HashSet<UserId>>,
    channels: HashSet<Cid>,
    subscriptions: usize,
}

impl Watchers {
    /// One connection may subscribe to `limit` users and watch `limit` channels.
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Subscribes the connection to the presence of `users`, in their order, and returns how
    /// many were left out because its limit was reached.
    pub fn subscribe(
        &mut self,
        connection: ConnectionId,
        scope: Scope,
        users: impl IntoIterator<Item = UserId>,
    ) -> usize {
        let watching = self.connections.entry(connection).or_default();
        let scoped = watching.scopes.entry(scope).or_default();
        let mut omitted = 0;
        for user in users {
            if scoped.contains(&user) {
                continue;
            }
            if watching.subscriptions >= self.limit {
                omitted += 1;
                continue;
            }
            // Whoever else watches the user keeps the same copy of their id.
            let user = self.users.get_key_value(&user).map_or(user, |(known, _)| known.clone());
            scoped.insert(user.clone());
            watching.subscriptions += 1;
            self.subscriptions += 1;
            *self.users.entry(user).or_default().entry(connection).or_default() += 1;
        }
        omitted
    }

    /// The connection watches the channel. False when it already did, or its limit is reached.
    pub fn watch(&mut self, connection: ConnectionId, cid: &Cid) -> bool {
        let watching = self.connections.entry(connection).or_default();
        if watching.channels.len() >= self.limit || !watching.channels.insert(cid.clone()) {
            return false;
        }
        self.channels.entry(cid.clone()).or_default().insert(connection)
    }

    /// The connection stops watching the channel and the presence of its members.
    /// False when it did not watch it.
    pub fn unwatch(&mut self, connection: ConnectionId, cid: &str) -> bool {
        let Some(watching) = self.connections.get_mut(&connection) else {
            return false;
        };
        let scope = Scope::Channel(cid.into());
        if let Some(users) = watching.scopes.remove(&scope) {
            watching.subscriptions -= users.len();
            self.subscriptions -= users.len();
            release(&mut self.users, connection, users);
        }
        let watched = watching.channels.remove(cid);
        if watched {
            leave(&mut self.channels, connection, cid);
        }
        watched
    }

    /// Nobody watches the channel any more.
    pub fn forget_channel(&mut self, cid: &str) {
        let connections: Vec<_> = self.of_channel(cid).collect();
        for connection in connections {
            self.unwatch(connection, cid);
        }
    }

    /// Forgets the connection and returns the channels it watched.
    pub fn remove(&mut self, connection: ConnectionId) -> HashSet<Cid> {
        let Some(watching) = self.connections.remove(&connection) else {
            return HashSet::new();
        };
        self.subscriptions -= watching.subscriptions;
        for users in watching.scopes.into_values() {
            release(&mut self.users, connection, users);
        }
        for cid in &watching.channels {
            leave(&mut self.channels, connection, cid);
        }
        watching.channels
    }

    /// The connections subscribed to the user's presence.
    pub fn of_user(&self, user: &str) -> impl Iterator<Item = ConnectionId> + '_ {
        self.users.get(user).into_iter().flat_map(|c| c.keys().copied())
    }

    /// The connections that watch the channel.
    pub fn of_channel(&self, cid: &str) -> impl Iterator<Item = ConnectionId> + '_ {
        self.channels.get(cid).into_iter().flatten().copied()
    }

    /// Whether the connection watches the channel.
    pub fn watches(&self, connection: ConnectionId, cid: &str) -> bool {
        self.channels.get(cid).is_some_and(|c| c.contains(&connection))
    }

    /// The channels that the connection watches.
    pub fn channels_of(&self, connection: ConnectionId) -> impl Iterator<Item = &Cid> + '_ {
        self.connections.get(&connection).into_iter().flat_map(|watching| watching.channels.iter())
    }

    /// How many connections watch anything.
    pub fn watching_count(&self) -> usize {
        let watches = |watching: &&Watching| watching.subscriptions > 0 || !watching.channels.is_empty();
        self.connections.values().filter(watches).count()
    }

    /// How many users are watched by at least one connection.
    pub fn watched_users(&self) -> usize {
        self.users.len()
    }

    /// How many channels are watched by at least one connection.
    pub fn watched_channels(&self) -> usize {
        self.channels.len()
    }

    /// Presence subscriptions of all connections together.
    pub fn subscription_count(&self) -> usize {
        self.subscriptions
    }
}

fn release(
    users: &mut HashMap<UserId, HashMap<ConnectionId, usize>>,
    connection: ConnectionId,
    released: HashSet<UserId>,
) {
    for user in released {
        let Entry::Occupied(mut subscribers) = users.entry(user) else {
            continue;
        };
        if let Entry::Occupied(mut scopes) = subscribers.get_mut().entry(connection) {
            *scopes.get_mut() -= 1;
            if *scopes.get() == 0 {
                scopes.remove();
            }
        }
        if subscribers.get().is_empty() {
            subscribers.remove();
        }
    }
}

fn leave(channels: &mut HashMap<Cid, HashSet<ConnectionId>>, connection: ConnectionId, cid: &str) {
    if let Some(watching) = channels.get_mut(cid) {
        watching.remove(&connection);
        if watching.is_empty() {
            channels.remove(cid);
        }
    }
}
