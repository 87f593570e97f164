//! Does what the core says, and tells it what happens.
//!
//! [`Shell::feed`] hands an input in, [`Shell::pump`] carries the outputs out. No borrow of the
//! core is held while an output is carried out: a listener may call anything here again, which
//! then feeds the core and leaves the carrying out to the pump that is already running.

use std::cell::{Cell, RefCell, RefMut};
use std::rc::{Rc, Weak};

use futures::channel::oneshot;
use js_sys::Promise;
use wasm_bindgen::prelude::*;

use super::channel::ChannelInner;
use super::deadline::Work;
use super::error;
use super::http::segment;
use super::lifecycle::Lifecycle;
use super::listeners::Listeners;
use super::promise::{Settle, promise};
use super::server_clock::ServerClock;
use super::session::Session;
use super::slot::Slot;
use super::socket::Socket;
use super::timer::{Timer, now};
use super::watch::WatchInner;
use super::{requests, wire};
use crate::core::{ConnectError, Core, Frame, Generation, Input, Millis, Output, Status, Ticket, WatchId};
use rollcall_protocol::{event, extension, limits};

/// How this client names itself to servers.
pub(super) const CLIENT_NAME: &str = concat!("rollcall-", env!("CARGO_PKG_VERSION"));
/// What is asked of servers that know our extensions.
const EXTENSIONS: &str = extension::BATCH;

pub(super) struct Shell {
    pub(super) api_key: String,
    /// Without a slash at its end.
    pub(super) base_url: String,
    /// How long a request may take, in milliseconds.
    pub(super) timeout: u64,
    core: RefCell<Core<JsValue>>,
    pub(super) listeners: Listeners,
    pub(super) work: Work,
    pub(super) channels: RefCell<Vec<Rc<ChannelInner>>>,
    /// By ascending id.
    pub(super) watches: RefCell<Vec<Rc<WatchInner>>>,
    /// Who waits for word of users they began to watch.
    pub(super) tickets: RefCell<Vec<(Ticket, Settle)>>,
    /// Whether the server says how many members it does not tell of.
    pub(super) follows_all: Cell<bool>,
    session: Slot<Option<Rc<Session>>>,
    lifecycle: Cell<Option<Lifecycle>>,
    socket: Cell<Option<Socket>>,
    server_clock: ServerClock,
    goodbye: Slot<Option<Promise>>,
    waiting: Cell<Vec<Settle>>,
    timer: Cell<Option<Timer>>,
    /// When the timer is due.
    due: Cell<Option<Millis>>,
    pumping: Cell<bool>,
}

impl Shell {
    pub(super) fn new(api_key: String, base_url: String, timeout: u64) -> Rc<Self> {
        let seed = (js_sys::Math::random() * 9_007_199_254_740_992.0) as u64;
        Rc::new(Shell {
            api_key,
            base_url,
            timeout,
            core: RefCell::new(Core::new(now(), seed)),
            listeners: Listeners::default(),
            work: Work::default(),
            channels: RefCell::default(),
            watches: RefCell::default(),
            tickets: RefCell::default(),
            follows_all: Cell::new(false),
            session: Slot::default(),
            lifecycle: Cell::default(),
            socket: Cell::default(),
            server_clock: ServerClock::default(),
            goodbye: Slot::default(),
            waiting: Cell::default(),
            timer: Cell::default(),
            due: Cell::default(),
            pumping: Cell::new(false),
        })
    }

    /// The core, for one look or one change: never kept while anything else is called.
    pub(super) fn core(&self) -> RefMut<'_, Core<JsValue>> {
        self.core.borrow_mut()
    }

    // --- The session --------------------------------------------------------------------------

    /// The connected user, or the error that says to connect one for `call`.
    pub(super) fn session(&self, call: &str) -> Result<Rc<Session>, JsValue> {
        self.session.get().ok_or_else(|| error::not_connected(call))
    }

    pub(super) fn session_if_any(&self) -> Option<Rc<Session>> {
        self.session.get()
    }

    pub(super) fn begin(self: &Rc<Self>, session: Rc<Session>) {
        let renewable_token = session.token.is_renewable();
        self.session.set(Some(session));
        let shell = Rc::downgrade(self);
        self.lifecycle.set(Some(Lifecycle::watch(move |input| {
            if let Some(shell) = shell.upgrade() {
                shell.feed(input);
            }
        })));
        self.feed(Input::Connect { renewable_token });
    }

    /// Says goodbye; the promise resolves when the server has heard it.
    pub(super) fn disconnect(self: &Rc<Self>) -> Promise {
        self.core().handle_input(now(), Input::Disconnect);
        self.end_session();
        self.pump();
        self.goodbye.take().unwrap_or_else(|| Promise::resolve(&JsValue::UNDEFINED))
    }

    /// Disconnects, if it is this session that lasts.
    pub(super) fn give_up(self: &Rc<Self>, session: &Rc<Session>) {
        if self.session.get().is_some_and(|current| Rc::ptr_eq(&current, session)) {
            let _ = self.disconnect();
        }
    }

    fn end_session(&self) {
        if let Some(session) = self.session.take() {
            session.end();
        }
        self.lifecycle.take();
        self.waiting.take();
        for channel in self.channels.take() {
            channel.end();
        }
        // They stay until their listeners have been told that nothing is known any more.
        for watch in self.watches.borrow().iter() {
            watch.end();
        }
        self.tickets.take();
        self.work.end_all();
    }

    /// The channel that `cid` names, when the app knows it.
    pub(super) fn channel(&self, cid: &JsValue) -> Option<Rc<ChannelInner>> {
        self.channels.borrow().iter().find(|channel| channel.is(cid)).cloned()
    }

    fn watch(&self, id: WatchId) -> Option<Rc<WatchInner>> {
        let watches = self.watches.borrow();
        let index = watches.binary_search_by_key(&id, |watch| watch.id).ok()?;
        watches.get(index).cloned()
    }

    /// How many members of a channel a server tells of, unless it says so itself.
    pub(super) fn member_limit(&self) -> usize {
        if self.follows_all.get() { usize::MAX } else { limits::CHANNEL_PRESENCE }
    }

    pub(super) fn connection_id(&self) -> Option<String> {
        self.core().connection_id().map(str::to_owned)
    }

    /// Resolves when there is a connection to subscribe on.
    pub(super) async fn connected(&self) -> Result<(), JsValue> {
        while self.core().status() != Status::Connected {
            let (sender, receiver) = oneshot::channel();
            let mut waiting = self.waiting.take();
            waiting.push(sender);
            self.waiting.set(waiting);
            receiver.await.unwrap_or_else(|_| Err(error::disconnected()))?;
        }
        Ok(())
    }

    // --- The pump -----------------------------------------------------------------------------

    pub(super) fn feed(self: &Rc<Self>, input: Input<JsValue>) {
        self.core().handle_input(now(), input);
        self.pump();
    }

    pub(super) fn pump(self: &Rc<Self>) {
        if self.pumping.replace(true) {
            return;
        }
        loop {
            let output = self.core().poll_output();
            match output {
                Some(output) => self.perform(output),
                None => break,
            }
        }
        self.pumping.set(false);
        self.forget_ended_watches();
        self.arm_timer();
    }

    /// Those of a session that is over stand first, and have been told by now.
    fn forget_ended_watches(&self) {
        let mut watches = self.watches.borrow_mut();
        let ended = watches.iter().take_while(|watch| !watch.is_open()).count();
        watches.drain(..ended);
    }

    /// Has the core look at the time, for somebody who asks how things are: where timers are slowed
    /// down it may not have done so for a while. Listeners hear of it after the asker.
    pub(super) fn catch_up(self: &Rc<Self>) {
        if self.is_due() && !self.pumping.get() {
            self.core().handle_input(now(), Input::Timeout);
            let shell = self.clone();
            let _ = promise(async move {
                shell.pump();
                Ok(JsValue::UNDEFINED)
            });
        }
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

    fn perform(self: &Rc<Self>, output: Output<JsValue>) {
        match output {
            Output::Dial { generation } => self.dial(generation),
            Output::TokenRefused => {
                if let Some(session) = self.session_if_any() {
                    session.refused_token.set(session.last_token.take());
                }
            }
            Output::SendHealthCheck => self.send_health_check(),
            Output::HangUp { code } => {
                if let Some(socket) = self.socket.take() {
                    self.goodbye.set(Some(socket.close(code)));
                }
            }
            Output::Connected => {
                for waiting in self.waiting.take() {
                    let _ = waiting.send(Ok(JsValue::UNDEFINED));
                }
            }
            Output::ConnectSettled(result) => self.settle(result),
            Output::Ended(reason) => {
                let reason = error::from_connect(reason);
                self.end_session();
                self.emit_local(event::CONNECTION_ERROR, &[("error", reason)]);
            }
            Output::Ask { request, ask } => requests::ask_again(self, request, ask),
            Output::Watched { ticket, result } => self.settle_ticket(ticket, result),
            Output::Changed { watch, id, resync } => {
                if let Some(watch) = self.watch(watch) {
                    watch.changed(&id, resync);
                }
            }
            Output::Emit(event) => self.emit(event),
        }
    }

    fn settle(self: &Rc<Self>, result: Result<JsValue, ConnectError<JsValue>>) {
        let Some(session) = self.session_if_any() else { return };
        let sender = session.settle.take();
        let result = result.map_err(error::from_connect);
        if result.is_err() {
            self.end_session();
        }
        if let Some(sender) = sender {
            let _ = sender.send(result);
        }
    }

    fn settle_ticket(&self, ticket: Ticket, result: Result<(), JsValue>) {
        let mut tickets = self.tickets.borrow_mut();
        if let Some(index) = tickets.iter().position(|(other, _)| *other == ticket) {
            // Only wakes whoever waits: nothing of theirs runs here.
            let _ = tickets.swap_remove(index).1.send(result.map(|()| JsValue::UNDEFINED));
        }
    }

    // --- The socket ---------------------------------------------------------------------------

    fn dial(self: &Rc<Self>, generation: Generation) {
        let Some(session) = self.session_if_any() else { return };
        self.server_clock.reset();
        let shell = self.clone();
        // Nobody waits for this promise, and it never rejects.
        let _ = promise(async move {
            let token = session.token.get(session.refused_token.get().as_deref()).await;
            // The provider may have taken its time.
            if !shell.core().is_current(generation) {
                return Ok(JsValue::UNDEFINED);
            }
            let opened = token.and_then(|token| {
                let socket = shell.open(generation, &session, &token)?;
                session.last_token.set(Some(token));
                Ok(socket)
            });
            match opened {
                Ok(socket) => shell.socket.set(Some(socket)),
                Err(reason) => shell.feed(Input::DialFailed { generation, reason }),
            }
            Ok(JsValue::UNDEFINED)
        });
    }

    fn open(self: &Rc<Self>, generation: Generation, session: &Session, token: &str) -> Result<Socket, JsValue> {
        let json = wire::stringify(&session.introduction())?.as_string().unwrap_or_default();
        let url = wire::concat(&[
            "ws",
            self.base_url.strip_prefix("http").unwrap_or_default(),
            "/connect?json=",
            &segment(&json),
            "&api_key=",
            &segment(&self.api_key),
            "&authorization=",
            &segment(token),
            "&stream-auth-type=jwt&X-Stream-Client=",
            CLIENT_NAME,
            "&",
            extension::PARAMETER,
            "=",
            EXTENSIONS,
        ]);
        let (on_message, on_close) = (Rc::downgrade(self), Rc::downgrade(self));
        Socket::open(
            &url,
            move |text| {
                if let Some(shell) = on_message.upgrade() {
                    shell.received(generation, &text);
                }
            },
            move |code| closed(&on_close, generation, code),
        )
        .map_err(|_| {
            if wire::get(&js_sys::global(), "WebSocket").is_undefined() {
                return error::invalid(&["there is no WebSocket here: use a browser, a worker, or Node 22 or later"]);
            }
            error::invalid(&["baseURL `", &self.base_url, "` is not an address a socket can open"])
        })
    }

    /// A frame: one event, or an array of them.
    fn received(self: &Rc<Self>, generation: Generation, text: &JsValue) {
        // What is not JSON is not for us; the health checks decide whether the connection is.
        let Ok(parsed) = wire::parse(text) else { return };
        let mut take = |event| {
            if let Some(mut frame) = wire::frame(event) {
                if let Frame::Health { payload, .. } = &frame {
                    if self.is_due() {
                        // Should the core have overslept, it asks on account of this very frame.
                        self.server_clock.ask();
                    }
                    if !self.server_clock.is_answer(payload) {
                        frame = Frame::Other { payload: payload.clone() };
                    }
                }
                self.feed(Input::Frame { generation, frame });
            }
        };
        if js_sys::Array::is_array(&parsed) { wire::each(&parsed, &mut take) } else { take(parsed) }
    }

    fn send_health_check(&self) {
        let Some(id) = self.connection_id() else { return };
        if let Some(socket) = self.socket.take() {
            self.server_clock.ask();
            let check = [r#"[{"type":""#, event::HEALTH_CHECK, r#"","client_id":""#, &id, r#""}]"#];
            socket.send(&wire::concat(&check));
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
