//! A server as the protocol describes it: who there is and who is online, who is connected, and
//! what each connection subscribed to.

use std::collections::{BTreeMap, BTreeSet};

use rollcall::core::{Failure, Frame, Generation, Millis, Seen};
use rollcall_protocol::{ErrorCode, limits, timing};

/// Those a history is about, by name.
pub const NAMES: [&str; 6] = ["ada", "ben", "cleo", "dora", "eli", "fay"];
/// With the crowd: three pages of them.
pub const PEOPLE: usize = 230;
/// More than one page.
pub const CHANNELS: usize = 33;
/// How many members of a channel one connection may follow.
const MEMBERS_FOLLOWED: usize = 2;

pub fn name(person: usize) -> String {
    NAMES.get(person).map_or_else(|| format!("c{person}"), |name| (*name).to_owned())
}

pub fn person(name: &str) -> usize {
    NAMES.iter().position(|other| *other == name).unwrap_or_else(|| name[1..].parse().unwrap())
}

pub fn cid(channel: usize) -> String {
    format!("messaging:{channel}")
}

pub fn channel(cid: &str) -> usize {
    cid["messaging:".len()..].parse().unwrap()
}

/// The first three overlap; the rest is there to fill pages.
pub fn members(channel: usize) -> Vec<usize> {
    match channel {
        0 => vec![0, 1],
        1 => vec![1, 2],
        2 => vec![2, 3, 4],
        other => vec![NAMES.len() + other],
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    pub online: bool,
    pub revision: u32,
}

/// What the client carries around without looking inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Nothing,
    Shown {
        person: usize,
        profile: Profile,
    },
    Gone {
        person: usize,
    },
    Refused(i32),
    /// A request named a connection that the server does not know.
    Forgotten,
}

impl Said {
    pub fn profiles_differ(&self, other: &Said) -> bool {
        match (self, other) {
            (Said::Shown { profile, .. }, Said::Shown { profile: other, .. }) => profile.revision != other.revision,
            _ => false,
        }
    }
}

/// What made a connection subscribe to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    Users,
    Channel(usize),
}

#[derive(Clone, Debug)]
pub enum Call {
    Users(Vec<usize>),
    Channels { channels: Vec<usize>, watch: bool, presence: bool },
    StopWatching(usize),
}

#[derive(Clone, Debug)]
pub enum Reply {
    Users(Vec<Seen<Said>>),
    Channels(Vec<(usize, Vec<Seen<Said>>)>),
    Stopped,
}

pub type Answer = Result<Reply, Failure<Said>>;

/// One connection, by the socket that carries it.
#[derive(Default)]
pub struct Connection {
    pub subscriptions: BTreeSet<(Scope, usize)>,
    /// The channels that are watched, and those whose members are followed.
    pub watched: BTreeSet<usize>,
    pub followed: BTreeSet<usize>,
    last_heard: Millis,
}

pub struct Server {
    pub people: Vec<Option<Profile>>,
    pub connections: BTreeMap<Generation, Connection>,
    revision: u32,
    /// Those who were deleted, and may have come into being again.
    pub reborn: BTreeSet<usize>,
    /// Whether tokens made before now are still good.
    pub token_expired: bool,
    /// The next connections are refused with this.
    pub refusals: Vec<i32>,
    /// The next requests fail, and may be tried again after this.
    pub failures: Vec<Option<Millis>>,
}

impl Server {
    pub fn new() -> Self {
        Server {
            people: vec![Some(Profile { online: false, revision: 1 }); PEOPLE],
            connections: BTreeMap::new(),
            revision: 1,
            reborn: BTreeSet::new(),
            token_expired: false,
            refusals: Vec::new(),
            failures: Vec::new(),
        }
    }

    // --- Connections --------------------------------------------------------------------------

    /// A socket opened: the first frame, or the refusal.
    pub fn greet(&mut self, now: Millis, socket: Generation, fresh_token: bool) -> Frame<Said> {
        let expired = self.token_expired && !fresh_token;
        let refusal = if expired { Some(ErrorCode::TokenExpired.number()) } else { self.refusals.pop() };
        if let Some(code) = refusal {
            return Frame::Error { code, payload: Said::Refused(code) };
        }
        self.connections.insert(socket, Connection { last_heard: now, ..Connection::default() });
        health()
    }

    /// A sign of life; false on a connection that is forgotten.
    pub fn hear(&mut self, now: Millis, socket: Generation) -> bool {
        let connection = self.connections.get_mut(&socket);
        connection.map(|connection| connection.last_heard = now).is_some()
    }

    /// A health check.
    pub fn check(&mut self, now: Millis, socket: Generation) -> Option<Frame<Said>> {
        self.hear(now, socket).then(health)
    }

    /// Forgets connections that have been silent for too long, and names them.
    pub fn drop_silent(&mut self, now: Millis) -> Vec<Generation> {
        let silent = |connection: &Connection| now >= connection.last_heard + timing::SILENT_AFTER;
        let gone: Vec<Generation> =
            self.connections.iter().filter(|(_, connection)| silent(connection)).map(|(socket, _)| *socket).collect();
        gone.iter().for_each(|socket| drop(self.connections.remove(socket)));
        gone
    }

    // --- People -------------------------------------------------------------------------------

    pub fn flip(&mut self, person: usize) -> Vec<(Generation, Frame<Said>)> {
        let Some(profile) = &mut self.people[person] else { return Vec::new() };
        profile.online = !profile.online;
        self.tell(person)
    }

    pub fn edit(&mut self, person: usize) -> Vec<(Generation, Frame<Said>)> {
        self.revision += 1;
        let Some(profile) = &mut self.people[person] else { return Vec::new() };
        profile.revision = self.revision;
        self.tell(person)
    }

    /// Deletes the user, or creates them again.
    pub fn delete_or_create(&mut self, person: usize) -> Vec<(Generation, Frame<Said>)> {
        self.revision += 1;
        self.reborn.insert(person);
        self.people[person] = match self.people[person] {
            Some(_) => None,
            None => Some(Profile { online: false, revision: self.revision }),
        };
        self.tell(person)
    }

    fn tell(&self, person: usize) -> Vec<(Generation, Frame<Said>)> {
        let frame = match self.seen(person, false) {
            Some(user) => Frame::User { payload: user.user, user },
            None => {
                let payload = Said::Gone { person };
                let user = Seen { id: name(person), online: false, subscribed: false, user: payload };
                Frame::Deleted { user, payload }
            }
        };
        let told = |connection: &Connection| connection.subscriptions.iter().any(|(_, other)| *other == person);
        let connections = self.connections.iter().filter(|(_, connection)| told(connection));
        connections.map(|(socket, _)| (*socket, frame.clone())).collect()
    }

    fn seen(&self, person: usize, subscribed: bool) -> Option<Seen<Said>> {
        let profile = self.people[person]?;
        let online = profile.online;
        Some(Seen { id: name(person), online, subscribed, user: Said::Shown { person, profile } })
    }

    // --- Requests -----------------------------------------------------------------------------

    /// Answers a request that names the connection on `socket`; it subscribes before it reads.
    pub fn answer(&mut self, call: &Call, socket: Generation) -> Answer {
        if let Some(retry_after) = self.failures.pop() {
            let reason = Said::Refused(ErrorCode::RateLimited.number());
            return Err(Failure { retryable: true, retry_after, reason });
        }
        let refused = Failure { retryable: false, retry_after: None, reason: Said::Refused(4) };
        let Some(connection) = self.connections.get_mut(&socket) else {
            return Err(Failure { reason: Said::Forgotten, ..refused });
        };
        match call {
            Call::Users(people) if people.len() > limits::USERS_PER_REQUEST => Err(refused),
            Call::Users(people) => {
                let found: Vec<usize> =
                    people.iter().copied().filter(|person| self.people[*person].is_some()).collect();
                connection.subscriptions.extend(found.iter().map(|person| (Scope::Users, *person)));
                Ok(Reply::Users(found.iter().filter_map(|person| self.seen(*person, true)).collect()))
            }
            Call::Channels { channels, watch, presence } => {
                let page = &channels[..channels.len().min(limits::CHANNELS_PER_REQUEST)];
                let people = &self.people;
                let members = |channel| members(channel).into_iter().filter(|person| people[*person].is_some());
                for channel in page {
                    connection.watched.extend(watch.then_some(*channel));
                    connection.followed.extend(presence.then_some(*channel));
                    let followed = members(*channel).take(MEMBERS_FOLLOWED).filter(|_| *presence);
                    connection.subscriptions.extend(followed.map(|person| (Scope::Channel(*channel), person)));
                }
                let state = |channel: &usize| {
                    let members = members(*channel).enumerate();
                    let seen = members.filter_map(|(index, person)| self.seen(person, index < MEMBERS_FOLLOWED));
                    (*channel, seen.collect())
                };
                Ok(Reply::Channels(page.iter().map(state).collect()))
            }
            Call::StopWatching(channel) => {
                connection.watched.remove(channel);
                connection.followed.remove(channel);
                connection.subscriptions.retain(|(scope, _)| *scope != Scope::Channel(*channel));
                Ok(Reply::Stopped)
            }
        }
    }
}

fn health() -> Frame<Said> {
    Frame::Health { connection_id: "c".into(), pages: false, payload: Said::Nothing }
}
