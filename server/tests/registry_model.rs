//! The registry against a model without clockwork, which looks at everything at every tick, over
//! random histories.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rollcall_server::presence::registry::{Output, Reason, Registry, Rules};
use rollcall_server::presence::rules::{Damping, Ending, Grace};
use rollcall_server::presence::{ConnectionId, UserId};

/// All of the model's times are whole numbers of these.
const TICK: Duration = Duration::from_millis(100);
const MINUTE: u32 = 600;
const NAMES: [&str; 3] = ["ada", "bob", "eve"];

/// Graces in ticks, how many departures are still told, and the hold in ticks.
#[derive(Clone, Copy, Debug)]
struct Settings {
    goodbye: u32,
    left: u32,
    lost: u32,
    departures: u32,
    hold: u32,
}

#[derive(Clone, Debug)]
enum Step {
    Connect { user: usize, invisible: bool },
    End { connection: usize, how: How },
    SetInvisible { user: usize, invisible: bool },
    Expel { user: usize },
    Crash,
    Pass { ticks: u32 },
}

#[derive(Clone, Copy, Debug)]
enum How {
    Goodbye,
    Left,
    Lost { silent: u32 },
}

fn settings() -> impl Strategy<Value = Settings> {
    (0..3u32, 0..30u32, 0..60u32, 0..4u32, 1..120u32).prop_map(|(goodbye, left, lost, departures, hold)| Settings {
        goodbye,
        left,
        lost,
        departures,
        hold,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let how = prop_oneof![
        2 => Just(How::Goodbye),
        2 => Just(How::Left),
        2 => (0..250u32).prop_map(|silent| How::Lost { silent }),
    ];
    prop_oneof![
        8 => (0..3usize, prop::bool::weighted(0.2)).prop_map(|(user, invisible)| Step::Connect { user, invisible }),
        8 => (0..4usize, how).prop_map(|(connection, how)| Step::End { connection, how }),
        4 => (0..3usize, any::<bool>()).prop_map(|(user, invisible)| Step::SetInvisible { user, invisible }),
        1 => (0..3usize).prop_map(|user| Step::Expel { user }),
        1 => Just(Step::Crash),
        8 => (0..40u32).prop_map(|ticks| Step::Pass { ticks }),
        1 => (0..1500u32).prop_map(|ticks| Step::Pass { ticks }),
    ]
}

/// What is told of one user: when, whether they are online now, and if not, why and since when
/// they were silent.
type Flip = (u32, bool, Option<(Reason, Option<u32>)>);

/// One user as the rules put it, with no timer: somebody looks at every tick.
#[derive(Clone, Debug, Default)]
struct Model {
    live: Vec<ConnectionId>,
    /// The graces that run, each with its end and what is said at it.
    graces: Vec<(u32, Reason)>,
    last_heard: Option<u32>,
    invisible: bool,
    /// Every departure there ever was.
    departures: Vec<u32>,
    visible: bool,
    back_since: u32,
    held: bool,
    shown: bool,
    told: Vec<Flip>,
}

impl Model {
    /// To others, who hides is not there: only the graces of those who left may run.
    fn present(&self, now: u32) -> bool {
        self.connected() || self.graces.iter().any(|(end, _)| *end > now)
    }

    fn connected(&self) -> bool {
        !self.live.is_empty() && !self.invisible
    }

    fn set_invisible(&mut self, now: u32, invisible: bool, settings: Settings) {
        let was_connected = self.connected();
        if was_connected && invisible {
            self.end(now, now, settings.goodbye, Reason::Closed);
        }
        self.invisible = invisible;
        if !was_connected && self.connected() {
            self.graces.clear();
        }
    }

    fn end(&mut self, now: u32, heard: u32, grace: u32, reason: Reason) {
        // Of two graces that end together the one that was there says why.
        if self.graces.iter().all(|(end, _)| *end < now + grace) {
            self.graces.push((now + grace, reason));
        }
        self.last_heard = self.last_heard.max(Some(heard));
    }

    /// Departures in the window that is open at `now`: each begins with the first departure after
    /// the one before.
    fn counted(&self, now: u32) -> u32 {
        let mut window: Option<(u32, u32)> = None;
        for at in &self.departures {
            window = match window {
                Some((start, count)) if *at < start + MINUTE => Some((start, count + 1)),
                _ => Some((*at, 1)),
            };
        }
        window.filter(|(start, _)| now < start + MINUTE).map_or(0, |(_, count)| count)
    }

    /// Looks at how things are. `reason` is why, if they went.
    fn look(&mut self, now: u32, settings: Settings, reason: Reason) {
        let visible = self.present(now);
        if self.visible && !visible {
            self.departures.push(now);
            self.held = false;
        }
        if !self.visible && visible {
            self.back_since = now;
            self.held = settings.departures != 0 && self.counted(now) > settings.departures;
        }
        if self.held && now >= self.back_since + settings.hold {
            self.held = false;
        }
        self.visible = visible;
        let shown = visible && !self.held;
        if shown != self.shown {
            self.told.push((now, shown, (!shown).then_some((reason, self.last_heard))));
        }
        self.shown = shown;
    }

    fn tick(&mut self, now: u32, settings: Settings) {
        let last = self.graces.iter().max_by_key(|(end, _)| *end).copied();
        self.look(now, settings, last.map_or(Reason::Lost, |(_, reason)| reason));
    }
}

struct World {
    settings: Settings,
    start: Instant,
    now: u32,
    registry: Registry,
    told: BTreeMap<UserId, Vec<Flip>>,
    model: BTreeMap<UserId, Model>,
    /// Each with the tick at which it opened.
    connections: Vec<(UserId, ConnectionId, u32)>,
}

impl World {
    fn new(settings: Settings) -> Self {
        Self {
            settings,
            // So that "heard before" never is before the beginning of time.
            start: Instant::now() + Duration::from_secs(3600),
            // The same, for the model.
            now: 1000,
            registry: registry(settings),
            told: BTreeMap::new(),
            model: NAMES.iter().map(|name| (UserId::from(*name), Model::default())).collect(),
            connections: Vec::new(),
        }
    }

    fn at(&self, tick: u32) -> Instant {
        self.start + TICK * tick
    }

    fn model(&mut self, user: &UserId) -> &mut Model {
        self.model.get_mut(user).unwrap()
    }

    /// Notes what the registry tells, at the time at which it does.
    fn listen(&mut self, now: Instant) {
        let tick = |at: Instant| u32::try_from((at - self.start).as_millis() / TICK.as_millis()).unwrap();
        while let Some(output) = self.registry.poll_output() {
            let (user, flip) = match output {
                Output::Online { user } => (user, (tick(now), true, None)),
                Output::Offline { user, reason, last_heard } => {
                    (user, (tick(now), false, Some((reason, last_heard.map(tick)))))
                }
                Output::Active { .. } | Output::InSight { .. } => continue,
            };
            self.told.entry(user).or_default().push(flip);
        }
    }

    fn take(&mut self, step: Step) {
        let (now, settings) = (self.at(self.now), self.settings);
        let tick = self.now;
        match step {
            Step::Connect { user, invisible } => {
                let (user, connection) = (UserId::from(NAMES[user]), ConnectionId::random());
                self.registry.connect(now, &user, connection, invisible);
                self.connections.push((user.clone(), connection, tick));
                let model = self.model(&user);
                model.set_invisible(tick, invisible, settings);
                model.live.push(connection);
                if !invisible {
                    model.graces.clear();
                }
                model.look(tick, settings, Reason::Closed);
            }
            Step::End { connection, how } if connection < self.connections.len() => {
                let (user, connection, opened) = self.connections.swap_remove(connection);
                let (ending, grace, reason, heard) = match how {
                    How::Goodbye => (Ending::Goodbye, settings.goodbye, Reason::Closed, tick),
                    How::Left => (Ending::Left, settings.left, Reason::Left, tick),
                    How::Lost { silent } => {
                        let heard = (tick - silent).max(opened);
                        (Ending::Lost { last_heard: self.at(heard) }, settings.lost, Reason::Lost, heard)
                    }
                };
                self.registry.disconnect(now, connection, ending);
                let model = self.model(&user);
                model.live.retain(|other| *other != connection);
                if !model.invisible {
                    model.end(tick, heard, grace, reason);
                }
                model.look(tick, settings, reason);
            }
            Step::End { .. } => {}
            Step::SetInvisible { user, invisible } => {
                let user = UserId::from(NAMES[user]);
                self.registry.set_invisible(now, &user, invisible);
                let model = self.model(&user);
                if !model.live.is_empty() || model.present(tick) {
                    model.set_invisible(tick, invisible, settings);
                    model.look(tick, settings, Reason::Closed);
                }
            }
            Step::Expel { user } => {
                let user = UserId::from(NAMES[user]);
                for (_, connection, _) in self.connections.extract_if(.., |(owner, ..)| *owner == user) {
                    self.registry.disconnect(now, connection, Ending::Goodbye);
                }
                self.registry.end_grace(now, &user);
                let model = self.model(&user);
                if model.connected() {
                    model.last_heard = Some(tick);
                }
                model.live.clear();
                model.graces.clear();
                model.look(tick, settings, Reason::Closed);
            }
            Step::Crash => {
                self.registry = registry(settings);
                self.connections.clear();
                for (user, model) in &mut self.model {
                    let grace = model.shown.then_some((tick + settings.lost, Reason::Lost));
                    if model.shown {
                        self.registry.presume(now, user);
                    }
                    let told = std::mem::take(&mut model.told);
                    *model = Model { graces: grace.into_iter().collect(), ..Model::default() };
                    (model.shown, model.visible, model.told) = (grace.is_some(), grace.is_some(), told);
                }
                self.pass(0);
            }
            Step::Pass { ticks } => self.pass(ticks),
        }
        self.listen(now);
    }

    fn pass(&mut self, ticks: u32) {
        let end = self.at(self.now + ticks);
        while let Some(due) = self.registry.poll_timeout().filter(|due| *due <= end) {
            self.registry.handle_timeout(due);
            self.listen(due);
        }
        for _ in 0..=ticks {
            for model in self.model.values_mut() {
                model.tick(self.now, self.settings);
            }
            self.now += 1;
        }
        self.now -= 1;
    }
}

fn registry(settings: Settings) -> Registry {
    Registry::new(Rules {
        grace: Grace { goodbye: TICK * settings.goodbye, left: TICK * settings.left, lost: TICK * settings.lost },
        damping: Damping { departures: settings.departures, hold: TICK * settings.hold },
        refresh: Duration::from_secs(15 * 60),
    })
}

proptest! {
    #[test]
    fn what_is_told_is_what_a_patient_observer_would_tell(
        settings in settings(),
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut world = World::new(settings);
        for step in steps {
            world.take(step);
            for (user, model) in &world.model {
                prop_assert_eq!(world.registry.is_online(user), model.shown, "{}", user);
                prop_assert_eq!(world.registry.is_connected(user), !model.live.is_empty(), "{}", user);
                let told = world.told.get(user).map_or(&[][..], Vec::as_slice);
                prop_assert_eq!(told, model.told.as_slice(), "{}", user);
                // Nothing is told twice.
                prop_assert!(told.windows(2).all(|flips| flips[0].1 != flips[1].1));
            }
            prop_assert_eq!(world.registry.online_count(), world.model.values().filter(|m| m.shown).count());
            prop_assert_eq!(world.registry.connection_count(), world.connections.len());
        }
        // When all are quiet, what is shown is the truth.
        world.take(Step::Pass { ticks: 60 + 120 });
        for (user, model) in &world.model {
            let there = !model.live.is_empty() && !model.invisible;
            prop_assert_eq!(world.registry.is_online(user), there, "{}", user);
        }
        // And nothing is kept of those who are gone.
        for (_, connection, _) in std::mem::take(&mut world.connections) {
            world.registry.disconnect(world.at(world.now), connection, Ending::Goodbye);
        }
        world.pass(2 * MINUTE);
        prop_assert_eq!(world.registry.poll_timeout(), None);
    }
}
