//! Requests of the app and of the core, and what becomes of their answers.

use std::collections::BTreeSet;

use rollcall::core::{Ask, Asked, Failure, Generation, Input, Millis, RequestId, Seen, Snapshot, Status};

use super::network::{Number, Parcel};
use super::server::{self, Answer, Call, NAMES, Reply, Said, Scope};
use super::world::World;

/// After this the shell gives up on a request.
const REQUEST_DEADLINE: Millis = 10_000;
/// Renewals on their way at once.
const AT_ONCE: usize = 2;

pub enum Origin {
    Core(RequestId),
    App,
}

pub struct Request {
    pub from: Origin,
    pub call: Call,
    pub asked: Asked,
    pub connection: Generation,
    pub deadline: Millis,
}

impl World {
    /// The app's or the core's request goes out on the connection, once there is one.
    pub fn ask(&mut self, call: Call) {
        self.waiting.push((Origin::App, call, self.now + REQUEST_DEADLINE));
        self.drain();
    }

    pub fn request(&mut self, from: Origin, call: Call, deadline: Millis) {
        self.last_number += 1;
        let (number, asked, connection) = (self.last_number, self.core.asked(), self.socket);
        self.network.send(self.now, Parcel::Call { number, call: call.clone(), socket: connection });
        self.requests.insert(number, Request { from, call, asked, connection, deadline });
    }

    pub fn expire(&mut self) {
        let failure = || Failure { retryable: true, retry_after: None, reason: Said::Refused(0) };
        let late: Vec<Number> = self
            .requests
            .iter()
            .filter(|(_, request)| request.deadline <= self.now)
            .map(|(number, _)| *number)
            .collect();
        for number in late {
            self.say(|| format!("request {number} is given up"));
            self.network.cancel(number);
            self.take_answer(number, Err(failure()));
        }
        let now = self.now;
        let waiting = self.waiting.extract_if(.., |(.., deadline)| *deadline <= now);
        let doubted = self.doubted.extract_if(.., |(.., deadline, _)| *deadline <= now);
        let late = waiting.chain(doubted.map(|(from, call, deadline, _)| (from, call, deadline))).collect::<Vec<_>>();
        for (from, call, _) in late {
            match (from, call) {
                (Origin::Core(request), _) => self.feed(Input::Replied { request, result: Err(failure()) }),
                (Origin::App, Call::StopWatching(channel)) => self.leave_channel(channel),
                (Origin::App, _) => self.drain(),
            }
        }
    }

    pub fn ask_again(&mut self, request: RequestId, ask: Ask) {
        let call = match ask {
            Ask::Users { ids } => Call::Users(ids.iter().map(|id| server::person(id)).collect()),
            Ask::Channels { cids, watch, presence } => {
                let channels = cids.iter().map(|cid| server::channel(cid)).collect();
                Call::Channels { channels, watch, presence }
            }
        };
        self.say(|| format!("client: asks again for {}", brief(&call)));
        if self.now < self.knowledge.quiet_until {
            self.breaks("asks before the server said that it may");
        }
        let out = self
            .requests
            .values()
            .filter(|other| matches!(other.from, Origin::Core(_)) && other.connection == self.socket);
        let out: Vec<&Call> = out.map(|other| &other.call).collect();
        if out.len() >= AT_ONCE {
            self.breaks("asks too much at once");
        } else if let Some(twice) = out.iter().find(|other| overlaps(other, &call)) {
            let twice = brief(twice);
            self.breaks(format!("asks for {} while {twice} is on its way", brief(&call)));
        } else if repeats(&call) {
            self.breaks("asks for somebody twice on one page");
        } else if !self.is_wanted(&call) {
            self.breaks(format!("asks for {}, which nobody wants", brief(&call)));
        }
        let patience = self.core.patience().unwrap_or(REQUEST_DEADLINE);
        self.waiting.push((Origin::Core(request), call, self.now + patience));
        self.flush();
    }

    /// In the order in which they came out, before anything else is done.
    pub fn flush(&mut self) {
        if self.core.status() == Status::Connected {
            for (from, call, deadline) in std::mem::take(&mut self.waiting) {
                // The app's calls for one channel go one after the other.
                let channel = one_channel(&call).filter(|_| matches!(from, Origin::App));
                if channel.is_some_and(|channel| self.is_asking_about(channel)) {
                    self.waiting.push((from, call, deadline));
                } else {
                    self.request(from, call, deadline);
                }
            }
        }
    }

    pub fn is_wanted(&self, call: &Call) -> bool {
        match call {
            Call::Users(people) => people.iter().all(|person| self.page.wants(*person) || self.is_member(*person)),
            Call::Channels { channels, .. } => channels.iter().all(|channel| self.page.channels.contains_key(channel)),
            Call::StopWatching(_) => true,
        }
    }

    pub fn is_member(&self, person: usize) -> bool {
        self.page
            .channels
            .iter()
            .any(|(channel, (_, presence))| *presence && server::members(*channel).contains(&person))
    }

    /// Whether an answer to the app about this channel is still to come.
    pub fn is_asking_about(&self, channel: usize) -> bool {
        self.apps_calls().any(|call| match call {
            Call::Channels { channels, .. } => channels.contains(&channel),
            Call::StopWatching(other) => *other == channel,
            Call::Users(_) => false,
        })
    }

    /// Whether the app asks for this channel among others, which waits for no other call.
    pub fn is_querying(&self, channel: usize) -> bool {
        self.apps_calls().any(
            |call| matches!(call, Call::Channels { channels, .. } if channels.len() > 1 && channels.contains(&channel)),
        )
    }

    fn apps_calls(&self) -> impl Iterator<Item = &Call> {
        let out = self.requests.values().map(|request| (&request.from, &request.call));
        let waiting = self.waiting.iter().map(|(from, call, _)| (from, call));
        let doubted = self.doubted.iter().map(|(from, call, ..)| (from, call));
        out.chain(waiting).chain(doubted).filter(|(from, _)| matches!(from, Origin::App)).map(|(_, call)| call)
    }

    /// The connection gave a sign of life: what the server knew no connection for is asked again, but for what
    /// the core asks anew on another one.
    pub fn ask_once_more(&mut self) {
        let (doubted, socket) = (std::mem::take(&mut self.doubted), self.socket);
        let wanted = doubted
            .into_iter()
            .filter(|(from, .., connection)| matches!(from, Origin::App) || *connection == socket)
            .map(|(from, call, deadline, _)| (from, call, deadline));
        self.waiting.splice(0..0, wanted);
        self.flush();
    }

    // --- Answers ------------------------------------------------------------------------------

    pub fn take_answer(&mut self, number: Number, answer: Answer) {
        let Some(request) = self.requests.remove(&number) else { return };
        if matches!(answer, Err(Failure { reason: Said::Forgotten, .. })) {
            self.say(|| format!("server: knows no connection for {}", brief(&request.call)));
            self.doubted.push((request.from, request.call, request.deadline, request.connection));
            return self.nudge(Input::Woken);
        }
        let Request { from, call, asked, connection, .. } = request;
        let current = connection == self.socket && self.core.status() == Status::Connected;
        self.say(|| {
            let (who, late) =
                (if matches!(from, Origin::App) { "app" } else { "client" }, if current { "" } else { " of before" });
            format!(
                "{who}: learns of {}{late}: {}",
                brief(&call),
                answer.as_ref().map_or_else(|failure| format!("{failure:?}"), brief_reply)
            )
        });
        if current {
            self.note_learnt(&from, &call, &answer);
        }
        match (from, answer) {
            (Origin::Core(request), Ok(reply)) => {
                if current {
                    self.knowledge.settled(&call);
                }
                let users = self.hydrate(asked, &call, reply);
                self.feed(Input::Replied { request, result: Ok(users) });
            }
            (Origin::Core(request), Err(failure)) => {
                if current {
                    let wait = failure.retry_after.unwrap_or(0);
                    self.knowledge.quiet_until = self.knowledge.quiet_until.max(self.now + wait);
                    if !failure.retryable {
                        self.knowledge.settled(&call);
                    }
                }
                self.feed(Input::Replied { request, result: Err(failure) });
            }
            (Origin::App, Ok(reply)) => self.take_apps_answer(asked, &call, reply),
            (Origin::App, Err(_)) => {
                self.feed(Input::Timeout);
                if let Call::StopWatching(channel) = call {
                    self.leave_channel(channel);
                }
            }
        }
    }

    pub fn note_learnt(&mut self, from: &Origin, call: &Call, answer: &Answer) {
        match (call, answer) {
            (_, Ok(Reply::Users(users))) => {
                users.iter().for_each(|user| self.knowledge.learnt(server::person(&user.id), Scope::Users));
            }
            (Call::Channels { presence: true, .. }, Ok(Reply::Channels(channels))) => {
                // The app may have stopped to watch one while it was asked for again.
                let wanted = |channel: &usize| matches!(from, Origin::App) || self.page.channels.contains_key(channel);
                for (channel, members) in channels.iter().filter(|(channel, _)| wanted(channel)) {
                    for member in members.iter().filter(|member| member.subscribed) {
                        self.knowledge.learnt(server::person(&member.id), Scope::Channel(*channel));
                    }
                }
            }
            _ => {}
        }
    }

    /// What a renewed channel shows is brought up to date; returns the users of an answer.
    pub fn hydrate(&mut self, asked: Asked, call: &Call, reply: Reply) -> Vec<Seen<Said>> {
        match reply {
            Reply::Users(users) => users,
            Reply::Stopped => Vec::new(),
            Reply::Channels(channels) => {
                let presence = matches!(call, Call::Channels { presence: true, .. });
                let mut users = Vec::new();
                for (channel, members) in channels {
                    let shown = self.freshened(asked, &members);
                    if self.page.channels.contains_key(&channel) {
                        self.page.hydrated(&shown);
                    }
                    if presence && self.core.watch_members(&server::cid(channel), asked, &members) {
                        users.extend(members);
                    }
                }
                users
            }
        }
    }

    pub fn freshened(&self, asked: Asked, users: &[Seen<Said>]) -> Vec<Said> {
        users.iter().map(|seen| self.core.heard_since(asked, &seen.id).copied().unwrap_or(seen.user)).collect()
    }

    pub fn take_apps_answer(&mut self, asked: Asked, call: &Call, reply: Reply) {
        self.feed(Input::Timeout);
        match reply {
            Reply::Users(users) => {
                self.page.queried.extend(users.iter().map(|seen| server::person(&seen.id)));
                self.core.watch_users(Snapshot { asked, users: users.clone() });
                let shown = self.freshened(asked, &users);
                self.drain();
                self.page.answered(&shown);
            }
            Reply::Channels(channels) => {
                let Call::Channels { watch, presence, .. } = *call else { return };
                let mut shown = Vec::new();
                for (channel, members) in channels {
                    shown.extend(self.freshened(asked, &members));
                    let entry = self.page.channels.entry(channel).or_default();
                    *entry = (entry.0 || watch, entry.1 || presence);
                    let users = if presence { members } else { Vec::new() };
                    self.core.watch_channel(&server::cid(channel), watch, presence, Snapshot { asked, users });
                }
                self.drain();
                if presence {
                    self.page.answered(&shown);
                }
            }
            Reply::Stopped => one_channel(call).into_iter().for_each(|channel| self.leave_channel(channel)),
        }
        self.drain();
        self.check();
    }
}

/// The channel that a call for just one is about.
pub fn one_channel(call: &Call) -> Option<usize> {
    match call {
        Call::Channels { channels, .. } if channels.len() == 1 => channels.first().copied(),
        Call::StopWatching(channel) => Some(*channel),
        Call::Channels { .. } | Call::Users(_) => None,
    }
}

fn overlaps(one: &Call, other: &Call) -> bool {
    match (one, other) {
        (Call::Users(one), Call::Users(other)) => one.iter().any(|person| other.contains(person)),
        (
            Call::Channels { channels: one, watch, presence },
            Call::Channels { channels: other, watch: watch_too, presence: presence_too },
        ) => (watch, presence) == (watch_too, presence_too) && one.iter().any(|channel| other.contains(channel)),
        _ => false,
    }
}

fn repeats(call: &Call) -> bool {
    let (Call::Users(list) | Call::Channels { channels: list, .. }) = call else { return false };
    list.iter().collect::<BTreeSet<_>>().len() != list.len()
}

fn brief(call: &Call) -> String {
    match call {
        Call::Users(people) if people.len() > NAMES.len() => format!("{} people", people.len()),
        Call::Users(people) => people.iter().map(|person| server::name(*person)).collect::<Vec<_>>().join(", "),
        Call::Channels { channels, watch, presence } => {
            format!("channels {channels:?} (watch {watch}, presence {presence})")
        }
        Call::StopWatching(channel) => format!("no more of channel {channel}"),
    }
}

fn brief_reply(reply: &Reply) -> String {
    let word = |seen: &Seen<Said>| format!("{} {}", seen.id, if seen.online { "online" } else { "offline" });
    match reply {
        Reply::Users(users) if users.len() > NAMES.len() => format!("{} people", users.len()),
        Reply::Users(users) => users.iter().map(word).collect::<Vec<_>>().join(", "),
        Reply::Channels(channels) => {
            channels.iter().flat_map(|(_, users)| users.iter().map(word)).collect::<Vec<_>>().join(", ")
        }
        Reply::Stopped => "done".into(),
    }
}
