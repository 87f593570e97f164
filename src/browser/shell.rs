//! Does what the core says, and tells it what happens.
//!
//! [`Shell::feed`] hands an input in, [`Shell::pump`] carries the outputs out. No borrow of the
//! core is held while an output is carried out: a listener may call anything here again, which
//! then feeds the core and leaves the carrying out to the pump that is already running.

use std::cell::{Cell, RefCell, RefMut};
use std::rc::{Rc, Weak};

use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;
use web_sys::WebSocket;

use super::page::{self, Page};
use super::server_clock::ServerClock;
use super::slot::Slot;
use super::socket::Socket;
use super::timer::{Timer, now};
use crate::core::{
    Ask, Asked, ConnectError, Core, Event, Freshness, Generation, Input, Millis, Output, RequestId, Seen, Status,
};
use rollcall_protocol::{close, event};

pub(super) struct Shell {
    core: RefCell<Core<JsValue>>,
    /// There while somebody is connected, or tries to be.
    page: Slot<Option<Rc<Page>>>,
    socket: Cell<Option<Socket>>,
    server_clock: ServerClock,
    timer: Cell<Option<Timer>>,
    /// When the timer is due.
    due: Cell<Option<Millis>>,
    pumping: Cell<bool>,
    /// What the page has told of a call that is to follow.
    seen: Cell<Vec<Seen<JsValue>>>,
    members: Cell<Vec<Seen<JsValue>>>,
}

impl Shell {
    pub(super) fn new() -> Rc<Self> {
        let seed = (js_sys::Math::random() * 9_007_199_254_740_992.0) as u64;
        Rc::new(Shell {
            core: RefCell::new(Core::new(now(), seed, page::profiles_differ)),
            page: Slot::default(),
            socket: Cell::default(),
            server_clock: ServerClock::default(),
            timer: Cell::default(),
            due: Cell::default(),
            pumping: Cell::new(false),
            seen: Cell::default(),
            members: Cell::default(),
        })
    }

    /// The core, for one look or one change: never kept while anything else is called.
    pub(super) fn core(&self) -> RefMut<'_, Core<JsValue>> {
        self.core.borrow_mut()
    }

    pub(super) fn begin(&self, page: Page) {
        self.page.set(Some(Rc::new(page)));
    }

    /// The socket is closed at once, also in the middle of a pump: whoever says goodbye in a listener
    /// waits for it too. The rest is for [`Shell::pump`].
    pub(super) fn disconnect(&self) -> Option<WebSocket> {
        self.take_in(Input::Disconnect);
        self.hang_up(close::NORMAL)
    }

    // --- What the page tells ------------------------------------------------------------------

    pub(super) fn see(&self, seen: Seen<JsValue>) {
        let mut all = self.seen.take();
        all.push(seen);
        self.seen.set(all);
    }

    /// Everybody seen, after the members of channels that are still watched.
    pub(super) fn seen(&self) -> Vec<Seen<JsValue>> {
        let mut all = self.members.take();
        all.append(&mut self.seen.take());
        all
    }

    pub(super) fn watch_members(&self, cid: &str, asked: Asked) {
        let mut seen = self.seen.take();
        if self.core().watch_members(cid, asked, &seen) {
            let mut members = self.members.take();
            members.append(&mut seen);
            self.members.set(members);
        }
    }

    // --- What the page shows ------------------------------------------------------------------

    /// What is known of a user.
    pub(super) fn presence(&self, id: &str, resync: Option<bool>) -> JsValue {
        let core = self.core();
        let known = core.presence(id);
        let user = known.user.cloned();
        let freshness = match known.freshness {
            Freshness::Live => 0,
            Freshness::Stale => 1,
            Freshness::Unknown => 2,
        };
        let (online, ago) = (known.online, ago(known.as_of));
        drop(core);
        match &user {
            Some(user) => page::presence(None, user, online, freshness, ago, resync),
            None => page::presence(Some(id), &JsValue::UNDEFINED, online, freshness, ago, resync),
        }
    }

    /// What the connection is doing now.
    pub(super) fn connection(&self) -> JsValue {
        let connection = self.core().connection();
        let state = match connection.status {
            Status::Disconnected => 0,
            Status::Connecting => 1,
            Status::Connected => 2,
            Status::WaitingToReconnect => 3,
        };
        let next_try_in = connection.next_try.map_or(f64::NAN, |at| at.saturating_sub(now()) as f64);
        page::connection(
            state,
            ago(Some(connection.since)),
            connection.in_doubt,
            ago(connection.last_heard),
            next_try_in,
        )
    }

    // --- The pump -----------------------------------------------------------------------------

    /// Hands an input in, for [`Shell::pump`] to carry out what follows.
    pub(super) fn take_in(&self, input: Input<JsValue>) {
        self.core().handle_input(now(), input);
    }

    pub(super) fn feed(self: &Rc<Self>, input: Input<JsValue>) {
        self.take_in(input);
        self.pump();
    }

    pub(super) fn pump(self: &Rc<Self>) {
        if self.pumping.replace(true) {
            return;
        }
        loop {
            let Some(output) = self.core().poll_output() else { break };
            if let Some(page) = self.page.get() {
                self.perform(&page, output);
            }
        }
        self.pumping.set(false);
        if self.core().status() == Status::Disconnected {
            // Nothing more comes of it; and what is held from here is never collected.
            self.page.take();
        }
        self.arm_timer();
    }

    /// Has the core look at the time, for somebody who asks how things are: where timers are slowed
    /// down it may not have done so for a while. Whether there is something to carry out now.
    pub(super) fn catch_up(&self) -> bool {
        let late = self.is_due() && !self.pumping.get();
        if late {
            self.take_in(Input::Timeout);
        }
        late
    }

    fn is_due(&self) -> bool {
        self.due.get().is_some_and(|due| now() >= due)
    }

    fn arm_timer(self: &Rc<Self>) {
        let due = self.core().poll_timeout();
        if self.due.replace(due) == due {
            return;
        }
        self.timer.set(due.map(|at| {
            let shell = Rc::downgrade(self);
            Timer::after(at.saturating_sub(now()), move |_| {
                if let Some(shell) = shell.upgrade() {
                    shell.due.take();
                    shell.feed(Input::Timeout);
                }
            })
        }));
    }

    fn perform(self: &Rc<Self>, page: &Page, output: Output<JsValue>) {
        match output {
            Output::Dial { generation } => {
                self.server_clock.reset();
                page.dial(generation.0);
            }
            Output::TokenRefused => page.token_refused(),
            Output::SendHealthCheck => self.send_health_check(),
            Output::HangUp { code } => {
                self.hang_up(code);
            }
            Output::ConnectSettled(Ok(frame)) => page.settled(&frame, &JsValue::UNDEFINED),
            Output::ConnectSettled(Err(reason)) => page.settled(&JsValue::UNDEFINED, &problem(reason)),
            Output::Ended(reason) => page.over(&problem(reason)),
            Output::Ask { request, ask } => self.ask(page, request, ask),
            Output::Watched { ticket, result } => page.word(ticket.0, &result.err().unwrap_or(JsValue::UNDEFINED)),
            Output::Changed { watch, id, resync } => page.changed(watch.0, self.presence(&id, Some(resync))),
            Output::Emit(event) => self.emit(page, event),
        }
    }

    fn ask(&self, page: &Page, request: RequestId, ask: Ask) {
        let (names, are_users, watch, presence) = match ask {
            Ask::Users { ids } => (ids, true, false, true),
            Ask::Channels { cids, watch, presence } => (cids, false, watch, presence),
        };
        let ids = Array::new();
        for name in names {
            ids.push(&name.into());
        }
        let patience = self.core().patience().map_or(f64::INFINITY, |patience| patience as f64);
        page.ask(request.0, ids, are_users, watch, presence, patience);
    }

    fn emit(&self, page: &Page, event: Event<JsValue>) {
        match event {
            Event::Received(payload) => page.deliver(&payload),
            Event::PresenceLearnt { user } => page.learnt(true, false, &user),
            Event::OfflineLearnt { user } => page.learnt(true, true, &user),
            Event::ProfileLearnt { user } => page.learnt(false, false, &user),
            Event::ConnectionChanged { online } => {
                page.emit(event::local::CONNECTION_CHANGED, "online", online.into());
            }
            Event::ConnectionState => page.emit(event::local::CONNECTION_STATE, "connection", self.connection()),
            Event::ConnectionRecovered => page.emit(event::local::CONNECTION_RECOVERED, "", JsValue::UNDEFINED),
        }
    }

    // --- The socket ---------------------------------------------------------------------------

    /// Takes the socket that `open` opens, unless its token was too long in coming.
    pub(super) fn open(self: &Rc<Self>, generation: Generation, open: &Function) -> Result<(), JsValue> {
        if self.core().is_current(generation) {
            let shell = Rc::downgrade(self);
            let socket = open.call0(&JsValue::UNDEFINED)?.unchecked_into();
            self.socket.set(Some(Socket::new(socket, move |code| closed(&shell, generation, code))));
        }
        Ok(())
    }

    fn hang_up(&self, code: u16) -> Option<WebSocket> {
        Some(self.socket.take()?.close(code))
    }

    /// Whether a health check that the server `said` then answers ours.
    pub(super) fn is_answer(&self, said: f64) -> bool {
        if self.is_due() {
            // Should the core have overslept, it asks on account of this very frame.
            self.server_clock.ask();
        }
        self.server_clock.is_answer(said)
    }

    fn send_health_check(&self) {
        // A copy: a page may have a socket of its own making, which answers while it sends.
        let id = self.core().connection_id().map(str::to_owned);
        if let Some(socket) = self.socket.take() {
            if let Some(id) = id {
                self.server_clock.ask();
                socket.send(&concat(&[r#"[{"type":""#, event::HEALTH_CHECK, r#"","client_id":""#, &id, r#""}]"#]));
            }
            self.socket.set(Some(socket));
        }
    }
}

fn closed(shell: &Weak<Shell>, generation: Generation, code: u16) {
    let Some(shell) = shell.upgrade() else { return };
    if !shell.core().is_current(generation) {
        return;
    }
    shell.socket.take();
    shell.feed(Input::Closed { generation, code });
}

/// The parts as one text. The standard library's own `concat` is many times as long.
fn concat(parts: &[&str]) -> String {
    let mut whole = String::new();
    for part in parts {
        whole.push_str(part);
    }
    whole
}

/// How many milliseconds ago that was; not a number when it never was.
fn ago(moment: Option<Millis>) -> f64 {
    moment.map_or(f64::NAN, |moment| now().saturating_sub(moment) as f64)
}

/// Why there is no connection, as the app is told.
fn problem(reason: ConnectError<JsValue>) -> JsValue {
    match reason {
        ConnectError::Failed(reason) => reason,
        ConnectError::Closed(code) => page::closed(code),
        ConnectError::TimedOut => page::not_accepted(),
    }
}
