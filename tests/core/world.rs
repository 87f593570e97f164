//! A page, a network and a server, in virtual time; and every promise, looked at after every step.

use std::collections::{BTreeMap, VecDeque};

use rollcall::core::{Core, Frame, Freshness, Generation, Input, Millis, Status};
use rollcall_protocol::close;

use super::knowledge::{Knowledge, LastTrue};
use super::network::{Network, Number, Parcel};
use super::page::{Page, looked_up};
use super::requests::{Origin, Request};
use super::server::{self, Call, NAMES, Said, Server};

/// How rarely timers fire in a hidden page.
pub const HIDDEN_TIMERS: Millis = 60_000;

pub struct World {
    pub core: Core<Said>,
    pub now: Millis,
    pub network: Network,
    pub server: Server,
    pub page: Page,
    pub knowledge: Knowledge,
    /// The socket that counts.
    pub socket: Generation,
    pub requests: BTreeMap<Number, Request>,
    pub waiting: Vec<(Origin, Call, Millis)>,
    /// Those that the server knew no connection for, each with the one that it named.
    pub doubted: Vec<(Origin, Call, Millis, Generation)>,
    pub last_number: Number,
    /// The server is down, or something in between answers in its place.
    pub server_down: bool,
    pub captive: bool,
    pub renewable_token: bool,
    pub provider_failures: u32,
    pub asleep_since: Option<Millis>,
    pub slept: Millis,
    pub hidden: bool,
    pub last_hidden: Option<Millis>,
    pub disturbed: bool,
    pub last_true: Vec<LastTrue>,
    pub dials: VecDeque<Millis>,
    /// The attempt in the middle of which the page woke or a network came, and when.
    pub doubtful_attempt: Option<(Generation, Millis)>,
    /// The socket that nobody has closed yet.
    pub open: Option<Generation>,
    /// Whether the server called the token expired, and nothing was dialled since.
    pub token_expired: bool,
    /// Whether the client said that it was refused, and no other has been fetched since.
    pub token_refused: bool,
    /// What was promised and not kept, the first time.
    pub broken: Option<String>,
    pub log: Option<Vec<String>>,
}

impl World {
    pub fn new(seed: u64, logging: bool) -> Self {
        World {
            core: Core::new(0, seed, Said::profiles_differ),
            now: 0,
            network: Network::new(seed),
            server: Server::new(),
            page: Page::default(),
            knowledge: Knowledge::default(),
            socket: Generation::default(),
            requests: BTreeMap::new(),
            waiting: Vec::new(),
            doubted: Vec::new(),
            last_number: 0,
            server_down: false,
            captive: false,
            renewable_token: false,
            provider_failures: 0,
            asleep_since: None,
            slept: 0,
            hidden: false,
            last_hidden: None,
            disturbed: false,
            last_true: vec![LastTrue::default(); NAMES.len()],
            dials: VecDeque::new(),
            doubtful_attempt: None,
            open: None,
            token_expired: false,
            token_refused: false,
            broken: None,
            log: logging.then(Vec::new),
        }
    }

    pub fn history(self) -> Vec<String> {
        self.log.unwrap_or_default()
    }

    pub fn say(&mut self, what: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(format!("{:>9.3}  {}", self.now as f64 / 1000.0, what()));
        }
    }

    pub fn breaks(&mut self, promise: impl Into<String>) {
        if self.broken.is_none() {
            let promise = promise.into();
            self.say(|| format!("BROKEN: {promise}"));
            self.broken = Some(promise);
        }
    }

    pub fn is_awake(&self) -> bool {
        self.asleep_since.is_none()
    }

    // --- Time ---------------------------------------------------------------------------------

    /// Lets time pass, with all that falls due.
    pub fn pass(&mut self, milliseconds: Millis) {
        let end = self.now + milliseconds;
        while self.broken.is_none() {
            let timer =
                self.core.poll_timeout().map(|due| if self.hidden { due.next_multiple_of(HIDDEN_TIMERS) } else { due });
            let deadline = self
                .requests
                .values()
                .map(|request| request.deadline)
                .chain(self.waiting.iter().map(|(.., deadline)| *deadline))
                .chain(self.doubted.iter().map(|(.., deadline, _)| *deadline))
                .min();
            let own = [timer, deadline].into_iter().flatten().min().filter(|_| self.is_awake());
            let Some(next) = [own, self.network.next_due()].into_iter().flatten().min().filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(next);
            self.drop_silent();
            while let Some(parcel) = self.network.arrived(self.now, self.is_awake()) {
                self.arrive(parcel);
            }
            if self.is_awake() {
                self.expire();
                if timer.is_some_and(|due| due <= self.now) {
                    self.fire();
                }
            }
        }
        self.now = end;
        self.drop_silent();
    }

    fn fire(&mut self) {
        // A random delay may be none at all, but not again and again.
        for _ in 0..4 {
            if self.core.poll_timeout().is_none_or(|due| due > self.now) {
                return;
            }
            self.feed(Input::Timeout);
        }
        self.breaks("the timer is due again and again");
    }

    fn drop_silent(&mut self) {
        // A WebSocket answers the server's pings by itself.
        if let Some(socket) = self.open.filter(|socket| self.network.carries(*socket))
            && self.is_awake()
            && !self.captive
        {
            self.server.hear(self.now, socket);
        }
        for socket in self.server.drop_silent(self.now) {
            self.say(|| "server: drops a silent connection".into());
            self.network.send(self.now, Parcel::Closed { socket, code: close::GOING_AWAY });
        }
    }

    pub fn fall_asleep(&mut self) {
        if self.is_awake() {
            self.asleep_since = Some(self.now);
        }
    }

    /// The machine or the page runs again; `first` is fed before what arrived meanwhile.
    pub fn wake(&mut self, first: Option<Input<Said>>) {
        let Some(since) = self.asleep_since.take() else { return };
        self.slept += self.now - since;
        self.disturbed = true;
        self.doubtful_attempt = None;
        // A timer that is later than this tells of the sleep.
        if self.core.poll_timeout().is_some_and(|due| self.now > due + 5_000) {
            self.knowledge.doubted("the page slept, and nothing was heard since");
        }
        if let Some(first) = first {
            self.nudge(first);
        }
        self.network.release(self.now);
        self.pass(0);
    }

    /// Something outside tells the client of the page or the network.
    pub fn nudge(&mut self, input: Input<Said>) {
        if !matches!(input, Input::Timeout) {
            self.knowledge.doubted("a sign of life was asked for");
            self.disturbed = true;
        }
        self.dials.clear();
        let wakes = matches!(input, Input::Woken | Input::NetworkChanged { online: true });
        if wakes && self.core.status() == Status::Connecting && self.doubtful_attempt.is_none() {
            self.doubtful_attempt = Some((self.socket, self.now));
        }
        self.feed(input);
    }

    // --- What the server does -----------------------------------------------------------------

    pub fn tell(&mut self, person: usize, change: impl FnOnce(&mut Server) -> Vec<(Generation, Frame<Said>)>) {
        let awake = self.asleep_since.unwrap_or(self.now) - self.slept;
        if let (Some(last), Some(profile)) = (self.last_true.get_mut(person), self.server.people[person]) {
            *(if profile.online { &mut last.online } else { &mut last.offline }) = Some(awake);
        }
        for (socket, frame) in change(&mut self.server) {
            self.network.send(self.now, Parcel::Frame { socket, frame });
        }
        if self.log.is_some() {
            let truth = self.server.people[person];
            let truth = truth.map_or("gone", |profile| if profile.online { "online" } else { "offline" });
            self.say(|| format!("server: {} is {truth}", server::name(person)));
        }
    }

    pub fn connect(&mut self, renewable_token: bool) {
        self.disturbed = false;
        self.renewable_token = renewable_token;
        self.page.connecting = Some(self.now);
        (self.token_expired, self.token_refused) = (false, false);
        self.dials.clear();
        self.feed(Input::Connect { renewable_token });
    }

    pub fn disconnect(&mut self) {
        self.core.handle_input(self.now, Input::Disconnect);
        self.drain();
        self.end_session();
        self.check();
    }

    /// What the client shows, for the log.
    pub fn shown(&self) -> String {
        let shown =
            (0..NAMES.len()).filter(|person| self.page.wants(*person) || self.is_member(*person)).map(|person| {
                let (_, online, freshness) = looked_up(&self.core, person);
                let online = if online { "online" } else { "offline" };
                match freshness {
                    Freshness::Unknown => format!("{} ?", NAMES[person]),
                    freshness => format!(
                        "{} {online} {}",
                        NAMES[person],
                        if freshness == Freshness::Live { "live" } else { "stale" }
                    ),
                }
            });
        format!("{:?}: {}", self.core.status(), shown.collect::<Vec<_>>().join(", "))
    }
}
