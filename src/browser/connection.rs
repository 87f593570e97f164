//! `client.connection`, as JavaScript sees it.

use std::rc::Rc;

use js_sys::Object;
use wasm_bindgen::prelude::*;

use super::shell::Shell;
use super::timer::{date_of, now};
use super::wire;
use crate::core::{Millis, Status};

impl Shell {
    /// What the connection is doing now.
    pub(super) fn connection(self: &Rc<Self>) -> JsValue {
        self.catch_up();
        let connection = self.core().connection();
        let state = match connection.status {
            Status::Disconnected => "disconnected",
            Status::Connecting => "connecting",
            Status::Connected => "connected",
            Status::WaitingToReconnect => "waiting",
        };
        let object = Object::new();
        let set = |name: &str, value: JsValue| wire::set(&object, name, &value);
        let date = |moment: Millis| date_of(moment).into();
        let next_try_in = |at: Millis| (at.saturating_sub(now()) as f64).into();
        set("state", state.into());
        set("since", date(connection.since));
        set("inDoubt", connection.in_doubt.into());
        set("lastHeard", connection.last_heard.map_or(JsValue::NULL, date));
        set("nextTryIn", connection.next_try.map_or(JsValue::NULL, next_try_in));
        object.into()
    }
}
