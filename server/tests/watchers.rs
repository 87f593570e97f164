//! Who watches whom, against a model that remembers nothing but the facts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rollcall_server::presence::watchers::{Scope, Watchers};
use rollcall_server::presence::{Cid, ConnectionId, UserId};

const LIMIT: usize = 4;

fn users(names: &[&str]) -> Vec<UserId> {
    names.iter().map(|name| UserId::from(*name)).collect()
}

#[test]
fn a_watcher_of_more_users_than_it_may_is_told_how_many_were_left_out() {
    let mut watchers = Watchers::new(2);
    let ada = ConnectionId::random();
    assert_eq!(watchers.subscribe(ada, Scope::Users, users(&["bob", "cid", "dan", "eve"])), 2);
    assert_eq!(watchers.of_user("bob").collect::<Vec<_>>(), [ada]);
    assert_eq!(watchers.of_user("eve").count(), 0);
}

#[test]
fn leaving_a_channel_keeps_what_was_asked_for_by_name() {
    let mut watchers = Watchers::new(10);
    let ada = ConnectionId::random();
    watchers.watch(ada, &"messaging:lunch".into());
    watchers.subscribe(ada, Scope::Channel("messaging:lunch".into()), users(&["bob", "cid"]));
    watchers.subscribe(ada, Scope::Users, users(&["bob"]));
    assert!(watchers.unwatch(ada, "messaging:lunch"));
    assert_eq!(watchers.of_user("bob").collect::<Vec<_>>(), [ada]);
    assert_eq!(watchers.of_user("cid").count(), 0);
    assert_eq!(watchers.of_channel("messaging:lunch").count(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Subscribe { connection: usize, scope: usize, users: Vec<usize> },
    Watch { connection: usize, channel: usize },
    Unwatch { connection: usize, channel: usize },
    Remove { connection: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let user = prop::collection::vec(0..5usize, 0..4);
    prop_oneof![
        (0..3usize, 0..3usize, user).prop_map(|(connection, scope, users)| Step::Subscribe {
            connection,
            scope,
            users
        }),
        (0..3usize, 0..2usize).prop_map(|(connection, channel)| Step::Watch { connection, channel }),
        (0..3usize, 0..2usize).prop_map(|(connection, channel)| Step::Unwatch { connection, channel }),
        (0..3usize).prop_map(|connection| Step::Remove { connection }),
    ]
}

proptest! {
    #[test]
    fn every_watcher_hears_what_it_asked_for_and_nothing_else(steps in prop::collection::vec(step(), 0..80)) {
        let connections: Vec<_> = (0..3).map(|_| ConnectionId::random()).collect();
        let names = users(&["u0", "u1", "u2", "u3", "u4"]);
        let channels: Vec<Cid> = vec!["c:0".into(), "c:1".into()];
        let mut watchers = Watchers::new(LIMIT);
        // (connection, scope) → users, where scope 2 is a query of users.
        let mut subscribed: BTreeMap<(usize, usize), BTreeSet<usize>> = BTreeMap::new();
        let mut watched: BTreeSet<(usize, usize)> = BTreeSet::new();
        for step in steps {
            match step {
                Step::Subscribe { connection, scope, users } => {
                    let of_connection = |s: &BTreeMap<(usize, usize), BTreeSet<usize>>| {
                        s.iter().filter(|((c, _), _)| *c == connection).map(|(_, users)| users.len()).sum::<usize>()
                    };
                    let mut omitted = 0;
                    for user in &users {
                        let full = of_connection(&subscribed) >= LIMIT;
                        let set = subscribed.entry((connection, scope)).or_default();
                        if !set.contains(user) {
                            if full { omitted += 1 } else { set.insert(*user); }
                        }
                    }
                    let kind = match scope {
                        2 => Scope::Users,
                        channel => Scope::Channel(channels[channel].clone()),
                    };
                    let asked = users.iter().map(|user| names[*user].clone());
                    prop_assert_eq!(watchers.subscribe(connections[connection], kind, asked), omitted);
                }
                Step::Watch { connection, channel } => {
                    let new = watched.insert((connection, channel));
                    prop_assert_eq!(watchers.watch(connections[connection], &channels[channel]), new);
                }
                Step::Unwatch { connection, channel } => {
                    subscribed.remove(&(connection, channel));
                    let was = watched.remove(&(connection, channel));
                    prop_assert_eq!(watchers.unwatch(connections[connection], &channels[channel]), was);
                }
                Step::Remove { connection } => {
                    subscribed.retain(|(c, _), _| *c != connection);
                    let left: BTreeSet<Cid> = watchers.remove(connections[connection]).into_iter().collect();
                    let was = watched.iter().filter(|(c, _)| *c == connection).map(|(_, ch)| channels[*ch].clone());
                    prop_assert_eq!(left, was.collect::<BTreeSet<_>>());
                    watched.retain(|(c, _)| *c != connection);
                }
            }
            for (user, name) in names.iter().enumerate() {
                let expected: BTreeSet<_> = subscribed.iter()
                    .filter(|(_, users)| users.contains(&user))
                    .map(|((connection, _), _)| connections[*connection])
                    .collect();
                prop_assert_eq!(watchers.of_user(name).collect::<BTreeSet<_>>(), expected);
            }
            for (channel, cid) in channels.iter().enumerate() {
                let expected: BTreeSet<_> = watched.iter()
                    .filter(|(_, c)| *c == channel)
                    .map(|(connection, _)| connections[*connection])
                    .collect();
                prop_assert_eq!(watchers.of_channel(cid).collect::<BTreeSet<_>>(), expected);
            }
            prop_assert_eq!(watchers.subscription_count(), subscribed.values().map(BTreeSet::len).sum::<usize>());
            // Nothing is kept of what ended.
            prop_assert_eq!(watchers.watched_users(), subscribed.values().flatten().collect::<BTreeSet<_>>().len());
            prop_assert_eq!(watchers.watched_channels(), watched.iter().map(|(_, ch)| ch).collect::<BTreeSet<_>>().len());
        }
    }
}
