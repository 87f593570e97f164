//! The rule of presence, told as stories in simulated time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rollcall_server::presence::registry::{Ending, Output, Reason, Registry};
use rollcall_server::presence::{ConnectionId, UserId};

const GRACE: Duration = Duration::from_secs(5);
const REFRESH: Duration = Duration::from_secs(15 * 60);

/// A registry with a clock that the story turns.
struct World {
    registry: Registry,
    now: Instant,
}

impl World {
    fn new() -> Self {
        Self { registry: Registry::new(GRACE, REFRESH), now: Instant::now() }
    }

    fn connects(&mut self, user: &str) -> ConnectionId {
        self.connects_as(user, false)
    }

    fn connects_as(&mut self, user: &str, invisible: bool) -> ConnectionId {
        let connection = ConnectionId::random();
        self.registry.connect(self.now, &user.into(), connection, invisible);
        connection
    }

    fn says_goodbye(&mut self, connection: ConnectionId) {
        self.registry.disconnect(self.now, connection, Ending::Goodbye);
    }

    fn is_lost(&mut self, connection: ConnectionId) {
        self.registry.disconnect(self.now, connection, Ending::Lost);
    }

    fn sets_invisible(&mut self, user: &str, invisible: bool) {
        self.registry.set_invisible(self.now, &user.into(), invisible);
    }

    /// Time passes, and the registry is woken exactly when it asked to be.
    fn passes(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.registry.poll_timeout().filter(|due| *due <= end) {
            self.now = due;
            self.registry.handle_timeout(due);
        }
        self.now = end;
    }

    fn told(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.registry.poll_output()).collect()
    }
}

fn online(user: &str, reason: Reason) -> Output {
    Output::Flip { user: user.into(), online: true, reason }
}

fn offline(user: &str, reason: Reason) -> Output {
    Output::Flip { user: user.into(), online: false, reason }
}

fn active(user: &str) -> Output {
    Output::Active { user: user.into() }
}

#[test]
fn coming_and_saying_goodbye_are_told_at_once() {
    let mut world = World::new();
    let tab = world.connects("ada");
    assert_eq!(world.told(), [online("ada", Reason::Connected)]);
    world.says_goodbye(tab);
    assert_eq!(world.told(), [offline("ada", Reason::Closed)]);
    assert_eq!(world.registry.poll_timeout(), None);
}

#[test]
fn a_reload_does_not_flap() {
    let mut world = World::new();
    let page = world.connects("ada");
    world.told();
    world.is_lost(page);
    world.passes(Duration::from_secs(2));
    world.connects("ada");
    assert_eq!(world.told(), [active("ada")]);
    world.passes(GRACE * 2);
    assert_eq!(world.told(), []);
}

#[test]
fn a_lost_connection_counts_until_its_grace_ends() {
    let mut world = World::new();
    let phone = world.connects("ada");
    world.told();
    world.is_lost(phone);
    world.passes(GRACE - Duration::from_millis(1));
    assert_eq!(world.told(), []);
    assert!(world.registry.is_online("ada"));
    world.passes(Duration::from_millis(1));
    assert_eq!(world.told(), [offline("ada", Reason::Lost)]);
}

#[test]
fn a_second_tab_and_its_end_are_silent() {
    let mut world = World::new();
    let first = world.connects("ada");
    world.told();
    let second = world.connects("ada");
    world.says_goodbye(first);
    assert_eq!(world.told(), [active("ada")]);
    world.says_goodbye(second);
    assert_eq!(world.told(), [offline("ada", Reason::Closed)]);
}

#[test]
fn a_goodbye_in_one_tab_does_not_end_the_reload_of_another() {
    let mut world = World::new();
    let reloading = world.connects("ada");
    let other = world.connects("ada");
    world.told();
    world.is_lost(reloading);
    world.says_goodbye(other);
    world.passes(Duration::from_secs(1));
    world.connects("ada");
    assert_eq!(world.told(), [active("ada")]);
}

#[test]
fn who_connects_invisible_is_never_announced() {
    let mut world = World::new();
    let tab = world.connects_as("ada", true);
    world.passes(REFRESH * 3);
    world.says_goodbye(tab);
    let tab = world.connects_as("ada", true);
    world.is_lost(tab);
    world.passes(GRACE * 2);
    assert_eq!(world.told(), []);
}

#[test]
fn going_invisible_looks_like_leaving_and_back_like_coming() {
    let mut world = World::new();
    world.connects("ada");
    world.told();
    world.sets_invisible("ada", true);
    world.sets_invisible("ada", true);
    assert_eq!(world.told(), [offline("ada", Reason::Invisible)]);
    assert!(!world.registry.is_online("ada"));
    assert!(world.registry.is_connected("ada"));
    world.sets_invisible("ada", false);
    assert_eq!(world.told(), [online("ada", Reason::Visible)]);
}

#[test]
fn invisible_lasts_through_a_reload() {
    let mut world = World::new();
    let page = world.connects("ada");
    world.sets_invisible("ada", true);
    world.told();
    world.is_lost(page);
    world.passes(Duration::from_secs(1));
    world.connects_as("ada", true);
    world.passes(GRACE * 2);
    assert_eq!(world.told(), []);
}

#[test]
fn last_active_is_due_every_quarter_of_an_hour_and_stops_with_the_user() {
    let mut world = World::new();
    let tab = world.connects("ada");
    world.told();
    world.passes(REFRESH * 2);
    assert_eq!(world.told(), [active("ada"), active("ada")]);
    world.sets_invisible("ada", true);
    world.told();
    world.passes(REFRESH * 2);
    assert_eq!(world.told(), []);
    world.sets_invisible("ada", false);
    world.says_goodbye(tab);
    world.told();
    world.passes(REFRESH * 2);
    assert_eq!(world.told(), []);
}

#[derive(Clone, Debug)]
enum Step {
    Connect { user: usize, invisible: bool },
    End { connection: usize, goodbye: bool },
    SetInvisible { user: usize, invisible: bool },
    Pass { millis: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3usize, any::<bool>()).prop_map(|(user, invisible)| Step::Connect { user, invisible }),
        (0..8usize, any::<bool>()).prop_map(|(connection, goodbye)| Step::End { connection, goodbye }),
        (0..3usize, any::<bool>()).prop_map(|(user, invisible)| Step::SetInvisible { user, invisible }),
        (0..8_000u64).prop_map(|millis| Step::Pass { millis }),
    ]
}

/// Presence computed anew from all that happened, with no clockwork.
#[derive(Default)]
struct Model {
    live: HashMap<UserId, HashSet<ConnectionId>>,
    grace_until: HashMap<UserId, Instant>,
    invisible: HashMap<UserId, bool>,
}

impl Model {
    fn present(&self, user: &UserId, now: Instant) -> bool {
        self.live.get(user).is_some_and(|c| !c.is_empty())
            || self.grace_until.get(user).is_some_and(|until| now < *until)
    }

    fn online(&self, user: &UserId, now: Instant) -> bool {
        self.present(user, now) && !self.invisible.get(user).copied().unwrap_or_default()
    }
}

proptest! {
    #[test]
    fn online_means_connected_or_in_grace_and_visible(steps in proptest::collection::vec(step(), 0..60)) {
        let mut world = World::new();
        let mut model = Model::default();
        let mut connections: Vec<(UserId, ConnectionId)> = Vec::new();
        let mut shown: HashMap<UserId, bool> = HashMap::new();
        let users: Vec<UserId> = ["ada", "bob", "eve"].map(UserId::from).to_vec();
        for step in steps {
            match step {
                Step::Connect { user, invisible } => {
                    let user = users[user].clone();
                    let connection = world.connects_as(&user, invisible);
                    model.live.entry(user.clone()).or_default().insert(connection);
                    model.grace_until.remove(&user);
                    model.invisible.insert(user.clone(), invisible);
                    connections.push((user, connection));
                }
                Step::End { connection, goodbye } if connection < connections.len() => {
                    let (user, connection) = connections.swap_remove(connection);
                    if goodbye {
                        world.says_goodbye(connection);
                    } else {
                        world.is_lost(connection);
                        model.grace_until.insert(user.clone(), world.now + GRACE);
                    }
                    model.live.entry(user).or_default().remove(&connection);
                }
                Step::End { .. } => {}
                Step::SetInvisible { user, invisible } => {
                    world.sets_invisible(&users[user], invisible);
                    model.invisible.insert(users[user].clone(), invisible);
                }
                Step::Pass { millis } => world.passes(Duration::from_millis(millis)),
            }
            for output in world.told() {
                if let Output::Flip { user, online, .. } = output {
                    // Flips alternate, and the first one is to online.
                    prop_assert_ne!(shown.insert(user, online).unwrap_or_default(), online);
                }
            }
            for user in &users {
                let online = model.online(user, world.now);
                prop_assert_eq!(world.registry.is_online(user), online);
                prop_assert_eq!(shown.get(user).copied().unwrap_or_default(), online);
            }
            prop_assert_eq!(world.registry.online_count(), users.iter().filter(|u| model.online(u, world.now)).count());
        }
    }
}
