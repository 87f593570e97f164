//! What belongs to one `connectUser`: who, with which token, and what the server said of them.

use std::cell::Cell;

use js_sys::{Object, Promise};
use wasm_bindgen::prelude::*;

use super::promise::Settle;
use super::slot::Slot;
use super::token::Token;
use super::user::CurrentUser;
use super::wire;

/// What only the user may see of themselves. Events show the public side, so these are kept.
const OWN_FIELDS: [&str; 11] = [
    "invisible",
    "devices",
    "mutes",
    "channel_mutes",
    "unread_count",
    "total_unread_count",
    "unread_channels",
    "unread_threads",
    "privacy_settings",
    "push_preferences",
    "total_unread_count_by_team",
];

pub(super) struct Session {
    pub(super) user_id: String,
    /// The same, as the engine's own string.
    pub(super) id: JsValue,
    /// What `connectUser` was given.
    details: JsValue,
    pub(super) token: Token,
    /// The token of the last dial,
    pub(super) last_token: Cell<Option<String>>,
    /// and the last one that the server refused as expired.
    pub(super) refused_token: Slot<Option<String>>,
    me: Slot<JsValue>,
    /// Where the app sees it.
    shown: CurrentUser,
    /// False until the server has taken the details in: reconnects must not undo later changes.
    introduced: Cell<bool>,
    /// What `connectUser` returned.
    pub(super) connecting: Slot<Option<Promise>>,
    pub(super) settle: Cell<Option<Settle>>,
}

impl Session {
    pub(super) fn new(user_id: String, details: JsValue, token: Token, shown: CurrentUser) -> Self {
        shown.show(&details);
        Session {
            id: JsValue::from_str(&user_id),
            user_id,
            me: Slot::new(details.clone()),
            shown,
            details,
            token,
            last_token: Cell::default(),
            refused_token: Slot::default(),
            introduced: Cell::new(false),
            connecting: Slot::default(),
            settle: Cell::default(),
        }
    }

    /// The connected user, as last heard.
    pub(super) fn me(&self) -> JsValue {
        self.me.get()
    }

    fn set_me(&self, me: JsValue) {
        self.shown.show(&me);
        self.me.set(me);
    }

    /// Nobody is connected any more.
    pub(super) fn end(&self) {
        self.shown.show(&JsValue::from(Object::new()));
    }

    /// The `json` parameter of the connect address.
    pub(super) fn introduction(&self) -> JsValue {
        let details = if self.introduced.get() { wire::object("id", &self.id).into() } else { self.details.clone() };
        let introduction = wire::object("user_id", &self.id);
        wire::set(&introduction, "user_details", &details);
        introduction.into()
    }

    /// The first frame of a connection carries the user whole.
    pub(super) fn take_me(&self, me: JsValue) {
        self.introduced.set(true);
        self.set_me(me);
    }

    /// Whether `user` is the connected one.
    pub(super) fn is_me(&self, user: &JsValue) -> bool {
        wire::id(user).is_some_and(|id| id == self.id)
    }

    /// An event showed the connected user's public side.
    pub(super) fn refresh_me(&self, user: &JsValue) {
        let old = self.me();
        let me = Object::assign(&Object::new(), user.unchecked_ref());
        for field in OWN_FIELDS {
            let value = wire::get(&old, field);
            if !value.is_undefined() {
                wire::set(&me, field, &value);
            }
        }
        self.set_me(me.into());
    }

    /// The user was hidden or shown, which no event tells.
    pub(super) fn set_invisible(&self, invisible: &JsValue) {
        let me = Object::assign(&Object::new(), self.me().unchecked_ref());
        wire::set(&me, "invisible", invisible);
        self.set_me(me.into());
    }
}
