//! What the app is told: events of the server's and of our own, after what the app can see has
//! been brought up to date.

use std::rc::Rc;

use js_sys::Object;
use wasm_bindgen::prelude::*;

use super::channel::ChannelInner;
use super::shell::Shell;
use super::wire;
use crate::core::Event;
use rollcall_protocol::{event, extension};

impl Shell {
    pub(super) fn emit(self: &Rc<Self>, event: Event<JsValue>) {
        match event {
            Event::Received(payload) => self.deliver(&payload),
            Event::PresenceLearnt { user } => self.emit_learnt(event::USER_PRESENCE_CHANGED, user),
            Event::OfflineLearnt { user } => {
                let user = Object::assign(&Object::new(), user.unchecked_ref());
                wire::set(&user, "online", &JsValue::FALSE);
                self.emit_learnt(event::USER_PRESENCE_CHANGED, user.into());
            }
            Event::ProfileLearnt { user } => self.emit_learnt(event::USER_UPDATED, user),
            Event::ConnectionChanged { online } => {
                self.emit_local(event::local::CONNECTION_CHANGED, &[("online", online.into())]);
            }
            Event::ConnectionState => {
                self.emit_local(event::local::CONNECTION_STATE, &[("connection", self.connection())]);
            }
            Event::ConnectionRecovered => self.emit_local(event::local::CONNECTION_RECOVERED, &[]),
        }
    }

    fn emit_learnt(self: &Rc<Self>, kind: &str, user: JsValue) {
        self.emit_local(kind, &[("user", user), ("resync", JsValue::TRUE)]);
    }

    pub(super) fn emit_local(self: &Rc<Self>, kind: &str, fields: &[(&str, JsValue)]) {
        let event = wire::object("type", &kind.into());
        wire::set(&event, "created_at", &js_sys::Date::new_0().to_iso_string());
        for (name, value) in fields {
            wire::set(&event, name, value);
        }
        self.deliver(&event);
    }

    /// Brings what the app can see up to date, then tells the listeners.
    fn deliver(self: &Rc<Self>, event: &JsValue) {
        let Some(kind) = wire::kind(event) else { return };
        let channels: Vec<Rc<ChannelInner>> = self.channels.borrow().clone();
        match kind.as_str() {
            event::USER_PRESENCE_CHANGED | event::USER_UPDATED | event::USER_DELETED => {
                if let Some(user) = wire::user(event) {
                    if let Some(session) = self.session_if_any().filter(|session| session.is_me(&user)) {
                        session.refresh_me(&user);
                    }
                    for channel in &channels {
                        channel.replace_user(&user);
                    }
                }
            }
            event::HEALTH_CHECK => {
                let me = wire::get(event, "me");
                if me.is_object() {
                    self.follows_all.set(wire::get(event, extension::PARAMETER).is_object());
                }
                if let (true, Some(session)) = (me.is_object(), self.session_if_any()) {
                    session.take_me(me);
                }
            }
            _ => {}
        }
        let cid = wire::cid(event);
        let channel = channels.iter().find(|channel| channel.is(&cid));
        if let Some(channel) = channel {
            channel.apply(&kind, event);
        }
        self.listeners.dispatch(&kind, event);
        if let Some(channel) = channel {
            channel.listeners.dispatch(&kind, event);
        }
    }
}
