//! What lies between a client and its server, and delays, holds back, loses and reorders. Frames
//! on one socket stay in order; requests and answers overtake them and each other.

use std::collections::{BTreeMap, BTreeSet};

use rollcall::core::{Frame, Generation, Millis};

use super::server::{Answer, Call, Said};

/// Names a request.
pub type Number = u32;

#[derive(Clone, Debug)]
pub enum Parcel {
    Dial {
        socket: Generation,
        fresh_token: bool,
    },
    Check {
        socket: Generation,
    },
    Bye {
        socket: Generation,
    },
    Call {
        number: Number,
        call: Call,
        socket: Generation,
    },
    Frame {
        socket: Generation,
        frame: Frame<Said>,
    },
    Closed {
        socket: Generation,
        code: u16,
    },
    Answer {
        number: Number,
        answer: Answer,
    },
    /// The token provider failed: this never leaves the page.
    NoToken {
        socket: Generation,
    },
}

impl Parcel {
    fn is_for_the_server(&self) -> bool {
        matches!(self, Parcel::Dial { .. } | Parcel::Check { .. } | Parcel::Bye { .. } | Parcel::Call { .. })
    }

    /// The socket it travels on; requests have none.
    fn socket(&self) -> Option<Generation> {
        match self {
            Parcel::Dial { socket, .. }
            | Parcel::Check { socket }
            | Parcel::Bye { socket, .. }
            | Parcel::Frame { socket, .. }
            | Parcel::Closed { socket, .. } => Some(*socket),
            Parcel::Call { .. } | Parcel::Answer { .. } | Parcel::NoToken { .. } => None,
        }
    }
}

/// How long things take, in milliseconds. What is drawn at random is added to `delay`.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub delay: Millis,
    pub socket_jitter: Millis,
    pub request_jitter: Millis,
}

/// The longest that anything is on its way while nothing holds it back.
pub const SLOWEST: Millis = 4_000;

pub const FAIR: Weather = Weather { delay: 50, socket_jitter: 0, request_jitter: 0 };

pub struct Network {
    random: u64,
    pub weather: Weather,
    /// Which way is blocked, and whether requests are lost there instead of held back.
    pub to_server_blocked: bool,
    pub to_client_blocked: bool,
    pub lossy: bool,
    on_its_way: BTreeMap<(Millis, u64), Parcel>,
    held: Vec<Parcel>,
    sent: u64,
    /// When the last thing arrives on each socket, one way and the other.
    last: BTreeMap<(Generation, bool), Millis>,
    /// Sockets that something in the middle has forgotten: neither end is told.
    vanished: BTreeSet<Generation>,
}

impl Network {
    pub fn new(seed: u64) -> Self {
        Network {
            random: seed | 1,
            weather: FAIR,
            to_server_blocked: false,
            to_client_blocked: false,
            lossy: false,
            on_its_way: BTreeMap::new(),
            held: Vec::new(),
            sent: 0,
            last: BTreeMap::new(),
            vanished: BTreeSet::new(),
        }
    }

    fn draw(&mut self, below: Millis) -> Millis {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % (below + 1)
    }

    pub fn send(&mut self, now: Millis, parcel: Parcel) {
        let Weather { delay, socket_jitter, request_jitter } = self.weather;
        let at = match parcel.socket() {
            Some(socket) => {
                let at = now + delay + self.draw(socket_jitter);
                let last = self.last.entry((socket, parcel.is_for_the_server())).or_default();
                *last = at.max(*last);
                *last
            }
            None => now + delay + self.draw(request_jitter),
        };
        self.schedule(at, parcel);
    }

    fn schedule(&mut self, at: Millis, parcel: Parcel) {
        self.sent += 1;
        self.on_its_way.insert((at, self.sent), parcel);
    }

    pub fn vanish(&mut self, socket: Generation) {
        self.vanished.insert(socket);
    }

    /// Whether the ends of this socket reach each other.
    pub fn carries(&self, socket: Generation) -> bool {
        !self.to_server_blocked && !self.to_client_blocked && !self.vanished.contains(&socket)
    }

    /// The client no longer waits for this: what has not reached the server never will.
    pub fn cancel(&mut self, request: Number) {
        let is_it = |parcel: &Parcel| matches!(parcel, Parcel::Call { number, .. } if *number == request);
        self.on_its_way.retain(|_, parcel| !is_it(parcel));
        self.held.retain(|parcel| !is_it(parcel));
    }

    pub fn next_due(&self) -> Option<Millis> {
        self.on_its_way.keys().next().map(|(at, _)| *at)
    }

    /// The next thing that arrives by `now`; what is not let through is held back or lost.
    pub fn arrived(&mut self, now: Millis, client_awake: bool) -> Option<Parcel> {
        loop {
            let entry = self.on_its_way.first_entry().filter(|entry| entry.key().0 <= now)?;
            let parcel = entry.remove();
            if parcel.socket().is_some_and(|socket| self.vanished.contains(&socket)) {
                continue;
            }
            let up = parcel.is_for_the_server();
            let blocked = if up { self.to_server_blocked } else { self.to_client_blocked };
            if blocked && self.lossy && parcel.socket().is_none() {
                continue;
            }
            if blocked || (!up && !client_awake) {
                self.held.push(parcel);
                continue;
            }
            return Some(parcel);
        }
    }

    /// What was held back arrives now, as far as nothing holds it any more.
    pub fn release(&mut self, now: Millis) {
        for parcel in std::mem::take(&mut self.held) {
            self.schedule(now, parcel);
        }
    }
}
