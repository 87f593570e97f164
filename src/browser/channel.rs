//! `Channel`, as JavaScript sees it.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Object, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::http::{Call, Then, segment};
use super::input::{self, Options};
use super::listeners::Listeners;
use super::promise::{promise, settled};
use super::shell::Shell;
use super::slot::Slot;
use super::state::ChannelState;
use super::{error, wire};
use crate::core::{Asked, Snapshot};
use rollcall_protocol::event;

/// What every JavaScript handle of one channel shares.
pub(super) struct ChannelInner {
    shell: Rc<Shell>,
    kind: String,
    id: Slot<Option<String>>,
    /// `type:id` as the engine's own string, undefined until the id is known.
    cid: Slot<JsValue>,
    /// What `client.channel` was given: members and custom data.
    wanted: JsValue,
    data: Slot<JsValue>,
    state: ChannelState,
    pub(super) listeners: Listeners,
    ended: Cell<bool>,
    /// Settles when every request so far that begins or ends the watch has been answered.
    turn: Slot<JsValue>,
    handle: Slot<JsValue>,
}

impl ChannelInner {
    /// The channel with this id, or among these members; one object for as long as the client
    /// is connected.
    pub(super) fn find_or_create(shell: &Rc<Shell>, kind: &str, id: Option<&str>, wanted: &JsValue) -> Rc<Self> {
        let members = member_ids(wanted);
        let found = shell.channels.borrow().iter().find(|channel| channel.is_wanted(kind, id, &members)).cloned();
        if let Some(found) = found {
            return found;
        }
        let channel = Rc::new(ChannelInner {
            shell: shell.clone(),
            kind: kind.to_owned(),
            id: Slot::default(),
            cid: Slot::default(),
            wanted: wanted.clone(),
            data: Slot::new(wanted.clone()),
            state: ChannelState::new(),
            listeners: Listeners::default(),
            ended: Cell::new(false),
            turn: Slot::default(),
            handle: Slot::default(),
        });
        if let Some(id) = id {
            channel.set_id(id);
        }
        channel.handle.set(JsValue::from(Channel { inner: channel.clone() }));
        shell.channels.borrow_mut().push(channel.clone());
        channel
    }

    fn is_wanted(&self, kind: &str, id: Option<&str>, members: &str) -> bool {
        self.kind == kind
            && match id {
                Some(id) => self.id.get().as_deref() == Some(id),
                None => !members.is_empty() && self.is_distinct() && member_ids(&self.wanted) == members,
            }
    }

    /// Known by its members alone.
    fn is_distinct(&self) -> bool {
        self.id.get().is_none_or(|id| id.starts_with("!members-"))
    }

    fn set_id(&self, id: &str) {
        self.cid.set(wire::concat(&[&self.kind, ":", id]).into());
        self.id.set(Some(id.to_owned()));
    }

    /// Whether `cid` names this channel.
    pub(super) fn is(&self, cid: &JsValue) -> bool {
        cid.is_string() && self.cid.get() == *cid
    }

    pub(super) fn to_js(&self) -> JsValue {
        self.handle.get()
    }

    /// The client was disconnected: from now on every call says so.
    pub(super) fn end(&self) {
        self.ended.set(true);
        // Breaks the circle of channel, handle and client.
        self.handle.take();
    }

    fn path(&self, call: &str, rest: &str) -> Result<String, JsValue> {
        match self.id.get() {
            Some(id) => Ok(wire::concat(&["/channels/", &segment(&self.kind), "/", &segment(&id), "/", rest])),
            None => Err(error::invalid(&[
                call,
                ": the channel is known by its members only; await channel.watch() or channel.create() first",
            ])),
        }
    }

    fn call(&self, name: &'static str, path: String, payload: JsValue) -> Result<Call, JsValue> {
        if self.ended.get() {
            return Err(error::disconnected());
        }
        Ok(Call::new(name, "POST", path, payload))
    }

    fn query(self: Rc<Self>, name: &'static str, options: &JsValue, default: bool) -> Result<Promise, JsValue> {
        let options = Options::new(name, options)?;
        let (state, watch, presence) =
            (options.flag("state", default)?, options.flag("watch", default)?, options.flag("presence", false)?);
        let path = if self.id.get().is_some() {
            self.path(name, "query")?
        } else {
            wire::concat(&["/channels/", &segment(&self.kind), "/query"])
        };
        let body = options.to_body();
        wire::set(&body, "state", &state.into());
        wire::set(&body, "watch", &watch.into());
        wire::set(&body, "presence", &presence.into());
        wire::set(&body, "data", &options.object("data", &self.wanted)?);
        let mut call = self.call(name, path, body.into())?;
        (call.subscribes, call.signal) = (watch || presence, options.signal()?);

        let channel = self.clone();
        let take: Then = Box::new(move |answer| {
            let (asked, response) = answer?;
            channel.take_response(asked, &response, watch, presence);
            channel.shell.pump();
            Ok(response)
        });
        Ok(if call.subscribes { self.in_turn(call, take) } else { call.send(&self.shell, take) })
    }

    /// Requests may overtake each other: of two for the same watch the later one is to win, so it
    /// waits for the other.
    fn in_turn(&self, mut call: Call, then: Then) -> Promise {
        let earlier = self.turn.get();
        call.after = earlier.clone();
        let answered = call.send(&self.shell, then);
        let this = answered.clone();
        let both = promise(async move {
            let _ = JsFuture::from(Promise::resolve(&earlier)).await;
            let _ = JsFuture::from(this).await;
            Ok(JsValue::UNDEFINED)
        });
        self.turn.set(both.into());
        answered
    }

    /// A query's answer: the state, and what is watched from now on.
    pub(super) fn take_response(&self, asked: Asked, response: &JsValue, watch: bool, presence: bool) {
        let data = wire::get(response, "channel");
        if let (None, Some(id)) = (self.id.get(), wire::get(&data, "id").as_string()) {
            self.set_id(&id);
        }
        self.hydrate(asked, response);
        if watch || presence {
            let users = if presence { wire::members(response, self.shell.member_limit()) } else { Vec::new() };
            let cid = self.cid.get().as_string().unwrap_or_default();
            self.shell.core().watch_channel(&cid, watch, presence, Snapshot { asked, users });
        }
    }

    pub(super) fn hydrate(&self, asked: Asked, response: &JsValue) {
        let data = wire::get(response, "channel");
        if data.is_object() {
            self.data.set(data);
        }
        self.state.hydrate(response, &|user| self.shell.newer(asked, &user).unwrap_or(user));
    }

    pub(super) fn replace_user(&self, user: &JsValue) {
        self.state.replace_user(user);
    }

    pub(super) fn apply(&self, kind: &str, payload: &JsValue) {
        match kind {
            event::CHANNEL_UPDATED => {
                let data = wire::get(payload, "channel");
                if data.is_object() {
                    self.data.set(data);
                }
            }
            event::CHANNEL_DELETED | event::NOTIFICATION_REMOVED_FROM_CHANNEL => {
                // From now on the server says nothing of it, nor of its members.
                self.forget_watch();
                self.state.forget_watchers();
            }
            _ => {}
        }
        self.state.apply(kind, payload);
    }

    /// A reconnect does not bring the watch back, and members are no longer called live for it.
    fn forget_watch(&self) {
        if let Some(cid) = self.cid.get().as_string() {
            self.shell.core().stop_watching(&cid);
        }
    }

    fn stop_watching(self: Rc<Self>, options: &JsValue) -> Result<Promise, JsValue> {
        let name = "channel.stopWatching";
        let mut call = self.call(name, self.path(name, "stop-watching")?, Object::new().into())?;
        (call.subscribes, call.signal) = (true, input::signal(name, options)?);
        // Whatever comes of the request.
        self.forget_watch();
        let channel = self.clone();
        Ok(self.in_turn(
            call,
            Box::new(move |answer| {
                // A watch that was asked for before may have been answered meanwhile.
                channel.forget_watch();
                channel.shell.pump();
                let (_, reply) = answer?;
                channel.state.forget_watchers();
                Ok(reply)
            }),
        ))
    }

    fn send_message(self: Rc<Self>, message: &JsValue, options: &JsValue) -> Result<Promise, JsValue> {
        let name = "channel.sendMessage";
        if !wire::get(message, "text").is_string() {
            return Err(error::invalid(&[name, ": the message must be an object with a `text`"]));
        }
        let mut call = self.call(name, self.path(name, "message")?, wire::object("message", message).into())?;
        call.signal = input::signal(name, options)?;
        let shell = self.shell.clone();
        Ok(call.send(
            &shell,
            Box::new(move |answer| {
                let (_, reply) = answer?;
                self.state.add_message(&wire::get(&reply, "message"));
                Ok(reply)
            }),
        ))
    }
}

/// The ids in `data.members`, sorted and joined: their order does not make another channel.
fn member_ids(wanted: &JsValue) -> String {
    let ids = Array::new();
    wire::each(&wire::get(wanted, "members"), &mut |member| {
        let id = if member.is_string() { member } else { wire::get(&member, "user_id") };
        ids.push(&id);
    });
    // No id holds a comma. The engine's sort costs the page nothing; Rust's would be downloaded.
    ids.sort().join(",").into()
}

#[wasm_bindgen(skip_typescript)]
pub struct Channel {
    inner: Rc<ChannelInner>,
}

#[wasm_bindgen]
impl Channel {
    #[wasm_bindgen(getter, js_name = type)]
    pub fn kind(&self) -> JsValue {
        self.inner.kind.as_str().into()
    }

    #[wasm_bindgen(getter)]
    pub fn id(&self) -> JsValue {
        self.inner.id.get().into()
    }

    #[wasm_bindgen(getter)]
    pub fn cid(&self) -> JsValue {
        self.inner.cid.get()
    }

    #[wasm_bindgen(getter)]
    pub fn data(&self) -> JsValue {
        self.inner.data.get()
    }

    #[wasm_bindgen(getter)]
    pub fn state(&self) -> JsValue {
        self.inner.state.to_js()
    }

    pub fn create(&self, options: JsValue) -> Promise {
        settled(self.inner.clone().query("channel.create", &options, false))
    }

    pub fn watch(&self, options: JsValue) -> Promise {
        settled(self.inner.clone().query("channel.watch", &options, true))
    }

    pub fn query(&self, options: JsValue) -> Promise {
        settled(self.inner.clone().query("channel.query", &options, false))
    }

    #[wasm_bindgen(js_name = stopWatching)]
    pub fn stop_watching(&self, options: JsValue) -> Promise {
        settled(self.inner.clone().stop_watching(&options))
    }

    #[wasm_bindgen(js_name = sendMessage)]
    pub fn send_message(&self, message: JsValue, options: JsValue) -> Promise {
        settled(self.inner.clone().send_message(&message, &options))
    }

    pub fn on(&self, kind: JsValue, handler: JsValue) -> Result<JsValue, JsValue> {
        self.inner.listeners.on(kind, handler)
    }

    pub fn off(&self, kind: JsValue, handler: JsValue) -> Result<(), JsValue> {
        self.inner.listeners.off(kind, handler)
    }
}

/// Splits `channel(type, id?, data?)`, where a channel known by its members has no id.
pub(super) fn arguments(id: JsValue, data: JsValue) -> Result<(Option<String>, JsValue), JsValue> {
    if id.is_object() && !Array::is_array(&id) && data.is_undefined() {
        return Ok((None, id));
    }
    let data = input::object("client.channel", "data", &data)?;
    if id.is_undefined() || id.is_null() {
        return Ok((None, data));
    }
    match id.as_string() {
        Some(id) if rollcall_protocol::limits::is_channel_id(&id) => Ok((Some(id), data)),
        Some(id) if id.is_empty() => Ok((None, data)),
        _ => Err(error::invalid(&[
            "client.channel: the id must be a string of letters, digits, `!`, `_` and `-`, at most 64 long",
        ])),
    }
}
