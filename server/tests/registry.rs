//! The rule of presence, told as stories in simulated time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use rollcall_server::presence::ConnectionId;
use rollcall_server::presence::registry::{Output, Reason, Registry, Rules};
use rollcall_server::presence::rules::{Damping, Ending, FLAP_WINDOW, Grace};

const GRACE: Grace = Grace { goodbye: Duration::ZERO, left: Duration::from_secs(2), lost: Duration::from_secs(5) };
const DAMPING: Damping = Damping { departures: 3, hold: Duration::from_secs(10) };
const REFRESH: Duration = Duration::from_secs(15 * 60);

/// A registry with a clock that the story turns.
struct World {
    registry: Registry,
    now: Instant,
}

impl World {
    fn new() -> Self {
        Self::with(GRACE)
    }

    fn with(grace: Grace) -> Self {
        let rules = Rules { grace, damping: DAMPING, refresh: REFRESH };
        Self { registry: Registry::new(rules), now: Instant::now() + Duration::from_secs(3600) }
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

    fn leaves_the_page(&mut self, connection: ConnectionId) {
        self.registry.disconnect(self.now, connection, Ending::Left);
    }

    fn is_lost(&mut self, connection: ConnectionId) {
        self.registry.disconnect(self.now, connection, Ending::Lost { last_heard: self.now });
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

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.registry.poll_output()).collect()
    }

    /// What concerns presence itself.
    fn told(&mut self) -> Vec<Output> {
        let mut outputs = self.outputs();
        outputs.retain(|output| !matches!(output, Output::InSight { .. }));
        outputs
    }

    /// Whose flips were told, and to what.
    fn flips(&mut self) -> Vec<bool> {
        let flip = |output| match output {
            Output::Online { .. } => Some(true),
            Output::Offline { .. } => Some(false),
            Output::Active { .. } | Output::InSight { .. } => None,
        };
        self.told().into_iter().filter_map(flip).collect()
    }
}

fn online(user: &str) -> Output {
    Output::Online { user: user.into() }
}

fn offline(user: &str, reason: Reason, last_heard: Instant) -> Output {
    Output::Offline { user: user.into(), reason, last_heard: Some(last_heard) }
}

fn active(user: &str) -> Output {
    Output::Active { user: user.into() }
}

#[test]
fn coming_and_saying_goodbye_are_told_at_once() {
    let mut world = World::new();
    let tab = world.connects("ada");
    assert_eq!(world.told(), [online("ada")]);
    world.says_goodbye(tab);
    assert_eq!(world.told(), [offline("ada", Reason::Closed, world.now)]);
    world.passes(FLAP_WINDOW);
    assert_eq!(world.told(), []);
    assert_eq!(world.registry.poll_timeout(), None, "nothing is kept of who is gone");
}

#[test]
fn a_reload_does_not_flap() {
    let mut world = World::new();
    let page = world.connects("ada");
    world.told();
    world.leaves_the_page(page);
    world.passes(GRACE.left - Duration::from_millis(1));
    world.connects("ada");
    assert_eq!(world.told(), [active("ada")]);
    world.passes(GRACE.lost * 2);
    assert_eq!(world.told(), []);
}

#[test]
fn a_lost_connection_counts_until_its_grace_ends() {
    let mut world = World::new();
    let phone = world.connects("ada");
    world.told();
    let last_heard = world.now;
    world.passes(Duration::from_secs(20));
    world.registry.disconnect(world.now, phone, Ending::Lost { last_heard });
    world.passes(GRACE.lost - Duration::from_millis(1));
    assert_eq!(world.told(), []);
    assert!(world.registry.is_online("ada"));
    world.passes(Duration::from_millis(1));
    assert_eq!(world.told(), [offline("ada", Reason::Lost, last_heard)]);
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
    assert_eq!(world.told(), [offline("ada", Reason::Closed, world.now)]);
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
    world.passes(GRACE.lost * 2);
    assert_eq!(world.told(), []);
}

#[test]
fn going_invisible_looks_like_leaving_and_back_like_coming() {
    let mut world = World::new();
    world.connects("ada");
    world.told();
    world.sets_invisible("ada", true);
    world.sets_invisible("ada", true);
    assert_eq!(world.told(), [offline("ada", Reason::Closed, world.now)]);
    assert!(!world.registry.is_online("ada"));
    assert!(world.registry.is_connected("ada"));
    world.sets_invisible("ada", false);
    assert_eq!(world.told(), [online("ada")]);
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
    world.passes(GRACE.lost * 2);
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

#[test]
fn a_page_that_is_closed_counts_for_as_long_as_a_reload_takes() {
    let mut world = World::new();
    let page = world.connects("ada");
    world.told();
    world.leaves_the_page(page);
    let left = world.now;
    world.passes(GRACE.left);
    assert_eq!(world.told(), [offline("ada", Reason::Left, left)]);
}

#[test]
fn the_longer_of_two_graces_counts() {
    let mut world = World::new();
    let (phone, page) = (world.connects("ada"), world.connects("ada"));
    world.told();
    world.is_lost(phone);
    world.leaves_the_page(page);
    let left = world.now;
    world.passes(GRACE.left);
    assert_eq!(world.told(), []);
    world.passes(GRACE.lost - GRACE.left);
    assert_eq!(world.told(), [offline("ada", Reason::Lost, left)]);
}

#[test]
fn who_was_there_when_the_server_crashed_is_waited_for() {
    let mut world = World::new();
    world.registry.presume(world.now, &"ada".into());
    world.registry.presume(world.now, &"bob".into());
    assert!(world.registry.is_online("ada") && world.registry.is_online("bob"));
    world.passes(Duration::from_secs(1));
    world.connects("bob");
    assert_eq!(world.told(), [active("bob")], "nobody saw them go");
    world.passes(GRACE.lost);
    let unknown = Output::Offline { user: "ada".into(), reason: Reason::Lost, last_heard: None };
    assert_eq!(world.told(), [unknown]);
}

#[test]
fn who_is_expelled_is_not_waited_for() {
    let mut world = World::new();
    let tab = world.connects("ada");
    world.is_lost(tab);
    world.told();
    world.registry.end_grace(world.now, &"ada".into());
    assert_eq!(world.told(), [offline("ada", Reason::Closed, world.now)]);
}

#[test]
fn who_comes_and_goes_all_the_time_is_shown_once_they_stay() {
    let mut world = World::new();
    for _ in 0..=DAMPING.departures {
        let tab = world.connects("ada");
        world.says_goodbye(tab);
        assert_eq!(world.flips(), [true, false]);
    }
    let tab = world.connects("ada");
    assert_eq!(world.told(), []);
    assert!(!world.registry.is_online("ada") && world.registry.is_connected("ada"));
    world.says_goodbye(tab);
    world.connects("ada");
    world.passes(DAMPING.hold - Duration::from_millis(1));
    assert_eq!(world.told(), []);
    world.passes(Duration::from_millis(1));
    assert_eq!(world.told(), [online("ada")]);

    // A quiet minute, and all is forgotten.
    world.passes(FLAP_WINDOW);
    world.sets_invisible("ada", true);
    world.sets_invisible("ada", false);
    assert_eq!(world.flips(), [false, true]);
}

#[test]
fn who_hides_while_nobody_sees_them_connected_is_waited_for_as_before() {
    let mut world = World::new();
    let phone = world.connects("ada");
    world.is_lost(phone);
    let lost = world.now;
    world.told();
    world.passes(Duration::from_secs(1));
    world.connects_as("ada", true);
    assert_eq!(world.told(), []);
    world.passes(GRACE.lost - Duration::from_secs(1));
    assert_eq!(world.told(), [offline("ada", Reason::Lost, lost)]);
}

/// What a story is made of, twice: in one telling Ada leaves and comes back, in the other she hides
/// and shows herself.
#[derive(Clone, Debug)]
enum Step {
    Goes,
    Returns,
    /// Of no concern to those who do not see her: another device, which is lost a moment later.
    DoesWhatWhoHidesMay,
    Passes(Duration),
}

fn step() -> impl Strategy<Value = Step> {
    let time = prop_oneof![0..4_000u64, 0..90_000u64];
    prop_oneof![
        2 => Just(Step::Goes),
        2 => Just(Step::Returns),
        1 => Just(Step::DoesWhatWhoHidesMay),
        3 => time.prop_map(|time| Step::Passes(Duration::from_millis(time))),
    ]
}

proptest! {
    #[test]
    fn hiding_looks_like_leaving(goodbye in 0..3_000u64, steps in prop::collection::vec(step(), 0..60)) {
        let grace = Grace { goodbye: Duration::from_millis(goodbye), ..GRACE };
        let (mut leaving, mut hiding) = (World::with(grace), World::with(grace));
        hiding.now = leaving.now;
        hiding.connects("ada");
        let mut tab = Some(leaving.connects("ada"));
        for step in steps {
            match step {
                Step::Goes => {
                    tab.take().into_iter().for_each(|tab| leaving.says_goodbye(tab));
                    hiding.sets_invisible("ada", true);
                }
                Step::Returns => {
                    tab.get_or_insert_with(|| leaving.connects("ada"));
                    hiding.sets_invisible("ada", false);
                }
                Step::DoesWhatWhoHidesMay if tab.is_none() => {
                    let phone = hiding.connects_as("ada", true);
                    hiding.is_lost(phone);
                }
                Step::DoesWhatWhoHidesMay => {}
                Step::Passes(time) => {
                    leaving.passes(time);
                    hiding.passes(time);
                }
            }
            prop_assert_eq!(leaving.outputs(), hiding.outputs());
            prop_assert_eq!(leaving.registry.poll_timeout(), hiding.registry.poll_timeout());
            prop_assert_eq!(leaving.registry.is_in_sight("ada"), hiding.registry.is_in_sight("ada"));
        }
    }
}
