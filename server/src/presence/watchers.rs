//! Who watches whom: connections on one side, users and channels on the other.

use std::hash::Hash;

use super::numbered::{Number, Numbered};
use super::{Cid, ConnectionId, UserId};

/// What made a connection subscribe to a user's presence. A user stays subscribed as long as
/// one scope names them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// A query of users: lasts as long as the connection.
    Users,
    /// The members of a channel: lasts until [`Watchers::unwatch`], watched or not.
    Channel(Cid),
}

/// Both directions of every subscription of this node, and nothing of what ended.
///
/// A subscription takes eight bytes: a number in a sorted list on either side.
#[derive(Debug, Default)]
pub struct Watchers {
    limit: usize,
    connections: Numbered<ConnectionId, Watching>,
    /// The connections subscribed to a user, each as many times as it has scopes that name them.
    users: Numbered<UserId, Vec<Number>>,
    /// The connections that watch a channel.
    channels: Numbered<Cid, Vec<Number>>,
    subscriptions: usize,
}

/// What a connection watches: sorted lists, because most are short.
#[derive(Debug, Default)]
struct Watching {
    scopes: Vec<(Scope, Vec<Number>)>,
    channels: Vec<Number>,
    subscriptions: usize,
}

impl Watching {
    /// Where the scope is, which is made if there is none.
    fn place_of(&mut self, scope: Scope) -> usize {
        let place = self.scopes.binary_search_by(|(other, _)| other.cmp(&scope));
        place.unwrap_or_else(|place| {
            self.scopes.insert(place, (scope, Vec::new()));
            place
        })
    }
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
        let connection = self.connections.enter(connection);
        let Some(watching) = self.connections.value_mut(connection) else { return 0 };
        let before = watching.subscriptions;
        let full = before >= self.limit;
        let place = watching.place_of(scope);
        let (_, scoped) = &mut watching.scopes[place];
        let mut added = 0;
        let mut omitted = 0;
        for user in users {
            let known = self.users.number(&user);
            if known.is_some_and(|user| scoped.binary_search(&user).is_ok()) {
                continue;
            }
            if full || before + added >= self.limit {
                omitted += 1;
                continue;
            }
            let user = known.unwrap_or_else(|| self.users.enter(user));
            insert(scoped, user);
            if let Some(subscribed) = self.users.value_mut(user) {
                insert(subscribed, connection);
            }
            added += 1;
        }
        match scoped.is_empty() {
            true => drop(watching.scopes.remove(place)),
            // It is as long as it will be for a while.
            false => scoped.shrink_to_fit(),
        }
        watching.subscriptions += added;
        self.subscriptions += added;
        omitted
    }

    /// The connection watches the channel. False when it already did, or its limit is reached.
    pub fn watch(&mut self, connection: ConnectionId, cid: &Cid) -> bool {
        let connection = self.connections.enter(connection);
        let Some(watching) = self.connections.value_mut(connection) else { return false };
        let known = self.channels.number(cid);
        if known.is_some_and(|channel| watching.channels.binary_search(&channel).is_ok())
            || watching.channels.len() >= self.limit
        {
            return false;
        }
        let channel = known.unwrap_or_else(|| self.channels.enter(cid.clone()));
        insert(&mut watching.channels, channel);
        if let Some(watched) = self.channels.value_mut(channel) {
            insert(watched, connection);
        }
        true
    }

    /// The connection stops watching the channel and the presence of its members.
    /// False when it did not watch it.
    pub fn unwatch(&mut self, connection: ConnectionId, cid: &str) -> bool {
        let Some(connection) = self.connections.number(&connection) else { return false };
        let Some(watching) = self.connections.value_mut(connection) else { return false };
        let scope = Scope::Channel(cid.into());
        if let Ok(place) = watching.scopes.binary_search_by(|(other, _)| other.cmp(&scope)) {
            let (_, users) = watching.scopes.remove(place);
            watching.subscriptions -= users.len();
            self.subscriptions -= users.len();
            users.into_iter().for_each(|user| leave(&mut self.users, user, connection));
        }
        let channel = self.channels.number(cid).filter(|channel| remove(&mut watching.channels, *channel));
        if let Some(channel) = channel {
            leave(&mut self.channels, channel, connection);
        }
        channel.is_some()
    }

    /// Nobody watches the channel any more.
    pub fn forget_channel(&mut self, cid: &str) {
        let connections: Vec<_> = self.of_channel(cid).collect();
        for connection in connections {
            self.unwatch(connection, cid);
        }
    }

    /// Forgets the connection and returns the channels it watched, in their order.
    pub fn remove(&mut self, connection: ConnectionId) -> Vec<Cid> {
        let Some(connection) = self.connections.number(&connection) else { return Vec::new() };
        let Some(watching) = self.connections.remove(connection) else { return Vec::new() };
        self.subscriptions -= watching.subscriptions;
        let users = watching.scopes.into_iter().flat_map(|(_, users)| users);
        users.for_each(|user| leave(&mut self.users, user, connection));
        let watched = watching.channels.iter().filter_map(|channel| self.channels.entry(*channel));
        let mut cids: Vec<_> = watched.map(|(cid, _)| cid.clone()).collect();
        cids.sort_unstable();
        watching.channels.into_iter().for_each(|channel| leave(&mut self.channels, channel, connection));
        cids
    }

    /// The connections subscribed to the user's presence.
    pub fn of_user(&self, user: &str) -> impl Iterator<Item = ConnectionId> + '_ {
        let connections = self.users.get(user).map_or(&[][..], Vec::as_slice);
        connections.chunk_by(|one, next| one == next).filter_map(|same| self.connection(*same.first()?))
    }

    /// The connections that watch the channel.
    pub fn of_channel(&self, cid: &str) -> impl Iterator<Item = ConnectionId> + '_ {
        let connections = self.channels.get(cid).map_or(&[][..], Vec::as_slice);
        connections.iter().filter_map(|connection| self.connection(*connection))
    }

    /// Whether the connection watches the channel.
    pub fn watches(&self, connection: ConnectionId, cid: &str) -> bool {
        let watching = self.connections.get(&connection).zip(self.channels.number(cid));
        watching.is_some_and(|(watching, channel)| watching.channels.binary_search(&channel).is_ok())
    }

    /// The channels that the connection watches.
    pub fn channels_of(&self, connection: ConnectionId) -> impl Iterator<Item = &Cid> + '_ {
        let channels = self.connections.get(&connection).map_or(&[][..], |watching| &watching.channels);
        channels.iter().filter_map(|channel| self.channels.entry(*channel)).map(|(cid, _)| cid)
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

    fn connection(&self, number: Number) -> Option<ConnectionId> {
        self.connections.entry(number).map(|(connection, _)| *connection)
    }
}

/// Adds the number to a sorted list.
fn insert(list: &mut Vec<Number>, number: Number) {
    let place = list.partition_point(|other| *other < number);
    list.insert(place, number);
}

/// Takes the number out of a sorted list, once. Whether it was there.
fn remove(list: &mut Vec<Number>, number: Number) -> bool {
    let place = list.binary_search(&number);
    if let Ok(place) = place {
        list.remove(place);
        if list.len() < list.capacity() / 4 {
            list.shrink_to(list.len() * 2);
        }
    }
    place.is_ok()
}

/// The connection leaves a user or a channel, which is forgotten when it was the last.
fn leave<K: Clone + Eq + Hash>(watched: &mut Numbered<K, Vec<Number>>, number: Number, connection: Number) {
    if let Some(connections) = watched.value_mut(number) {
        remove(connections, connection);
        if connections.is_empty() {
            watched.remove(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_again_and_again_in_vain_leaves_nothing() {
        let mut watchers = Watchers::new(1);
        let ada = ConnectionId::random();
        watchers.subscribe(ada, Scope::Users, ["bob".into()]);
        for number in 0..100 {
            let scope = Scope::Channel(format!("messaging:{number}").into());
            assert_eq!(watchers.subscribe(ada, scope.clone(), ["cid".into()]), 1);
            assert_eq!(watchers.subscribe(ada, scope, []), 0);
        }
        let scopes: Vec<_> = watchers.connections.values().flat_map(|watching| &watching.scopes).collect();
        assert_eq!(scopes.len(), 1, "{scopes:?}");
    }
}
