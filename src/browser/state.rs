//! A channel's live state: one plain JavaScript object, brought up to date in place.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;

use super::wire;
use rollcall_protocol::event;

pub(super) struct ChannelState {
    object: Object,
}

impl ChannelState {
    pub(super) fn new() -> Self {
        let state = ChannelState { object: Object::new() };
        state.set("members", &wire::map());
        state.set("watchers", &wire::map());
        state.set("watcher_count", &0.into());
        state.set("messages", &Array::new());
        state.set("membership", &JsValue::NULL);
        state
    }

    pub(super) fn to_js(&self) -> JsValue {
        self.object.clone().into()
    }

    /// Takes over what a query returned. `newest` gives the user that an event has shown since.
    pub(super) fn hydrate(&self, response: &JsValue, newest: &dyn Fn(JsValue) -> JsValue) {
        let freshen = |holder: &JsValue| {
            if let Some(user) = wire::user(holder) {
                wire::set(holder, "user", &newest(user));
            }
        };
        let members = wire::get(response, "members");
        if Array::is_array(&members) {
            let all = wire::map();
            wire::each(&members, &mut |member| {
                freshen(&member);
                wire::put(&all, &member_id(&member), &member);
            });
            self.set("members", &all);
        }
        let messages = wire::get(response, "messages");
        if Array::is_array(&messages) {
            wire::each(&messages, &mut |message| freshen(&message));
            // A copy: the app holds the response, and its list is not to grow by itself.
            self.set("messages", &Array::from(&messages));
        }
        let watchers = wire::get(response, "watchers");
        if Array::is_array(&watchers) {
            let all = wire::map();
            wire::each(&watchers, &mut |user| {
                let user = newest(user);
                wire::put(&all, &id_of(&user), &user);
            });
            self.set("watchers", &all);
        }
        let count = wire::get(response, "watcher_count");
        if count.as_f64().is_some() {
            self.set("watcher_count", &count);
        }
        let membership = wire::get(response, "membership");
        if membership.is_object() {
            freshen(&membership);
            self.set("membership", &membership);
        }
    }

    /// The channel is no longer watched, so nothing tells who else does.
    pub(super) fn forget_watchers(&self) {
        self.set("watchers", &wire::map());
        self.set("watcher_count", &0.into());
    }

    /// Puts the user's newest presence wherever the user appears.
    pub(super) fn replace_user(&self, user: &JsValue) {
        let id = id_of(user);
        let member = lookup(&self.get("members"), &id);
        if member.is_object() {
            wire::set(&member, "user", user);
        }
        let watchers = self.get("watchers");
        if !lookup(&watchers, &id).is_undefined() {
            wire::put(&watchers, &id, user);
        }
        let membership = self.get("membership");
        if membership.is_object() && member_id(&membership) == id {
            wire::set(&membership, "user", user);
        }
        wire::each(&self.get("messages"), &mut |message| {
            if wire::user(&message).is_some_and(|author| id_of(&author) == id) {
                wire::set(&message, "user", user);
            }
        });
    }

    /// An event of this channel.
    pub(super) fn apply(&self, kind: &str, payload: &JsValue) {
        match kind {
            event::USER_WATCHING_START | event::USER_WATCHING_STOP => {
                let Some(user) = wire::user(payload) else { return };
                let watchers = self.get("watchers");
                if kind == event::USER_WATCHING_START {
                    wire::put(&watchers, &id_of(&user), &user);
                } else {
                    let _ = Reflect::delete_property(watchers.unchecked_ref::<Object>(), &id_of(&user));
                }
            }
            event::MEMBER_ADDED | event::MEMBER_UPDATED => {
                let member = wire::get(payload, "member");
                if member.is_object() {
                    wire::put(&self.get("members"), &member_id(&member), &member);
                }
            }
            event::MEMBER_REMOVED => {
                let member = wire::get(payload, "member");
                let id = if member.is_object() { member_id(&member) } else { id_of(&wire::get(payload, "user")) };
                let _ = Reflect::delete_property(self.get("members").unchecked_ref::<Object>(), &id);
            }
            event::MESSAGE_NEW => self.add_message(&wire::get(payload, "message")),
            _ => {}
        }
        let count = wire::get(payload, "watcher_count");
        if count.as_f64().is_some() {
            self.set("watcher_count", &count);
        }
    }

    /// A message, once: the reply to sending it and its event may both come.
    pub(super) fn add_message(&self, message: &JsValue) {
        let Some(id) = wire::id(message) else { return };
        let messages = self.get("messages");
        let Some(list) = messages.dyn_ref::<Array>() else { return };
        let mut known = false;
        wire::each(list, &mut |other| known |= wire::id(&other).as_ref() == Some(&id));
        if !known {
            list.push(message);
        }
    }

    fn get(&self, name: &str) -> JsValue {
        wire::get(&self.object, name)
    }

    fn set(&self, name: &str, value: &JsValue) {
        wire::set(&self.object, name, value);
    }
}

fn id_of(user: &JsValue) -> JsValue {
    wire::id(user).unwrap_or(JsValue::UNDEFINED)
}

fn member_id(member: &JsValue) -> JsValue {
    let id = wire::get(member, "user_id");
    if id.is_string() { id } else { wire::user(member).map_or(JsValue::UNDEFINED, |user| id_of(&user)) }
}

fn lookup(map: &JsValue, id: &JsValue) -> JsValue {
    Reflect::get(map, id).unwrap_or(JsValue::UNDEFINED)
}
