//! What stands between the core and the network: carries outputs out, and hands in what comes.

use std::collections::BTreeSet;

use rollcall::core::{Event, Failure, Frame, Generation, Input, Millis, Output, Status};
use rollcall_protocol::close;

use super::knowledge::{Knowledge, Owed};
use super::network::Parcel;
use super::page::Page;
use super::server::{self, Said};
use super::world::World;

/// After a connection that held for so long, the first retry comes as soon as this.
const GOOD_UPTIME: Millis = 10_000;
const FIRST_RETRY: Millis = 1_000;
/// Dials within a second that nothing but the client itself called for.
const DIALS: usize = 8;

impl World {
    pub fn feed(&mut self, input: Input<Said>) {
        let (before, left) = (self.core.connection(), matches!(input, Input::Left));
        self.core.handle_input(self.now, input);
        self.drain();
        let held = before.status == Status::Connected && self.now >= before.since + GOOD_UPTIME;
        if held && !left && self.core.connection().next_try.is_some_and(|at| at > self.now + FIRST_RETRY) {
            self.breaks("waits long to connect again, although the connection was a good one");
        }
        self.check();
    }

    pub fn drain(&mut self) {
        while let Some(output) = self.core.poll_output() {
            self.perform(output);
        }
        self.flush();
    }

    pub fn perform(&mut self, output: Output<Said>) {
        match output {
            Output::Dial { generation } => self.dial(generation),
            Output::TokenRefused => self.token_refused = true,
            Output::SendHealthCheck => self.network.send(self.now, Parcel::Check { socket: self.socket }),
            Output::HangUp { code } => {
                self.say(|| format!("client: hangs up, {code}"));
                self.open = None;
                self.network.send(self.now, Parcel::Bye { socket: self.socket });
            }
            Output::ConnectSettled(result) => {
                self.say(|| format!("client: connectUser settles, {result:?}"));
                if self.page.connecting.take().is_none() {
                    self.breaks("connectUser settled twice");
                }
                if result.is_err() {
                    self.end_session();
                }
            }
            Output::Ended(error) => {
                self.say(|| format!("client: ended, {error:?}"));
                self.end_session();
            }
            Output::Ask { request, ask } => self.ask_again(request, ask),
            Output::Watched { ticket, result } => {
                if !self.page.watched(&self.core, ticket, result.is_ok()) {
                    self.breaks("a watch settled twice");
                }
            }
            Output::Changed { watch, id, .. } => self.page.changed(&self.core, watch, server::person(&id)),
            Output::Emit(Event::ConnectionRecovered) => self.recovered(),
            Output::Emit(event) => self.page.told(&event),
        }
    }

    pub fn dial(&mut self, socket: Generation) {
        self.socket = socket;
        if self.open.replace(socket).is_some() {
            self.breaks("dials while an older socket is still open");
        }
        if std::mem::take(&mut self.token_expired) && !self.token_refused {
            self.breaks("dials with a token that was refused");
        }
        let refresh_token = self.token_refused;
        self.say(|| format!("client: dials{}", if refresh_token { " with a new token" } else { "" }));
        if refresh_token && self.provider_failures > 0 {
            self.provider_failures -= 1;
            self.network.send(self.now, Parcel::NoToken { socket });
        } else {
            self.token_refused = false;
            self.network.send(self.now, Parcel::Dial { socket, fresh_token: refresh_token });
        }
        self.dials.push_back(self.now);
        while self.dials.front().is_some_and(|at| at + 1_000 < self.now) {
            self.dials.pop_front();
        }
        if self.dials.len() > DIALS {
            self.breaks("dials in a tight loop");
        }
    }

    pub fn end_session(&mut self) {
        if let Some(problem) = self.page.watch_left_behind(&self.core) {
            self.breaks(problem);
        }
        self.requests.keys().for_each(|number| self.network.cancel(*number));
        self.page = Page::default();
        self.knowledge = Knowledge::default();
        self.requests.clear();
        self.waiting.clear();
        self.doubted.clear();
        self.dials.clear();
    }

    // --- Arrivals -----------------------------------------------------------------------------

    pub fn arrive(&mut self, parcel: Parcel) {
        let now = self.now;
        match parcel {
            Parcel::Dial { .. } | Parcel::Check { .. } if self.captive => {}
            Parcel::Dial { socket, .. } if self.server_down => {
                self.network.send(now, Parcel::Closed { socket, code: close::ABNORMAL });
            }
            Parcel::Dial { socket, fresh_token } => {
                let frame = self.server.greet(now, socket, fresh_token);
                self.say(|| {
                    format!(
                        "server: {}",
                        if let Frame::Error { code, .. } = frame {
                            format!("refuses, {code}")
                        } else {
                            "greets".into()
                        }
                    )
                });
                let refused = matches!(frame, Frame::Error { .. });
                self.network.send(now, Parcel::Frame { socket, frame });
                if refused {
                    self.network.send(now, Parcel::Closed { socket, code: close::NORMAL });
                }
            }
            Parcel::Check { socket } => match self.server.check(now, socket) {
                Some(frame) => self.network.send(now, Parcel::Frame { socket, frame }),
                None => self.network.send(now, Parcel::Closed { socket, code: close::ABNORMAL }),
            },
            Parcel::Bye { socket } => {
                if !self.captive {
                    self.server.connections.remove(&socket);
                    self.network.send(now, Parcel::Closed { socket, code: close::NORMAL });
                }
            }
            Parcel::Call { number, call, socket } => {
                let unreachable = Failure { retryable: true, retry_after: None, reason: Said::Refused(0) };
                let answer =
                    if self.server_down || self.captive { Err(unreachable) } else { self.server.answer(&call, socket) };
                self.network.send(now, Parcel::Answer { number, answer });
            }
            Parcel::Answer { number, answer } => self.take_answer(number, answer),
            Parcel::NoToken { socket } => {
                self.open.take_if(|open| *open == socket);
                self.feed(Input::DialFailed { generation: socket, reason: Said::Refused(0) });
            }
            Parcel::Frame { socket, frame } => self.take_frame(socket, frame),
            Parcel::Closed { socket, code } => {
                if socket == self.socket {
                    self.say(|| format!("client: hears that the socket closed, {code}"));
                }
                self.open.take_if(|open| *open == socket);
                self.feed(Input::Closed { generation: socket, code });
            }
        }
    }

    pub fn take_frame(&mut self, socket: Generation, frame: Frame<Said>) {
        if let Frame::User { user, .. } | Frame::Deleted { user, .. } = &frame {
            let late = if self.core.is_current(socket) { "" } else { ", too late" };
            self.say(|| {
                format!("client: is told of {} ({}){late}", user.id, if user.online { "online" } else { "offline" })
            });
        }
        if !self.core.is_current(socket) {
            self.core.handle_input(self.now, Input::Frame { generation: socket, frame });
            while let Some(output) = self.core.poll_output() {
                if matches!(output, Output::Emit(Event::Received(_)) | Output::ConnectSettled(Ok(_))) {
                    self.breaks("believes what an old socket still says");
                }
                self.perform(output);
            }
            return self.check();
        }
        match (&frame, self.core.status()) {
            (Frame::Health { .. }, Status::Connecting) => self.greeted(),
            (_, Status::Connected) => self.knowledge.heard(self.now),
            (Frame::Error { code: 40, .. }, Status::Connecting) => self.token_expired = self.renewable_token,
            _ => {}
        }
        let lives = matches!(frame, Frame::Health { .. });
        self.feed(Input::Frame { generation: socket, frame });
        if lives {
            self.ask_once_more();
        }
    }

    pub fn greeted(&mut self) {
        let mut owed = BTreeSet::new();
        if self.page.connecting.is_none() {
            owed.extend(self.page.wanted().into_iter().map(Owed::Person));
            owed.extend(self.page.channels.keys().copied().map(Owed::Channel));
        }
        self.knowledge = Knowledge::connected(self.now, owed);
        self.say(|| "client: is connected".into());
    }

    pub fn recovered(&mut self) {
        self.say(|| "client: says that it has recovered".into());
        self.knowledge.recovered += 1;
        if self.knowledge.recovered > 1 {
            self.breaks("recovers twice");
        }
        let wanted = |owed: &Owed| match owed {
            Owed::Person(person) => self.page.wants(*person),
            Owed::Channel(channel) => self.page.channels.contains_key(channel),
        };
        if let Some(owed) = self.knowledge.still_owed(wanted) {
            self.breaks(format!("calls itself recovered with nothing learnt of {owed:?}"));
        }
    }
}
