//! One user's presence as a JavaScript object.

use std::rc::Rc;

use js_sys::{Date, JsString, Object};
use wasm_bindgen::prelude::*;

use super::shell::Shell;
use super::timer::date_of;
use super::wire;
use crate::core::Freshness;

// The engine's own strings: one of ours would be copied and decoded each time. The formatter would
// drop their values.
#[rustfmt::skip]
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, static_string)]
    static LIVE: JsString = "live";
    #[wasm_bindgen(thread_local_v2, static_string)]
    static STALE: JsString = "stale";
    #[wasm_bindgen(thread_local_v2, static_string)]
    static UNKNOWN: JsString = "unknown";
}

#[wasm_bindgen]
extern "C" {
    /// Setters by name cost a fifth of `Reflect.set`, and these are made for every change.
    type Shown;
    #[wasm_bindgen(method, structural, setter)]
    fn set_id(this: &Shown, value: &JsValue);
    #[wasm_bindgen(method, structural, setter)]
    fn set_online(this: &Shown, value: bool);
    #[wasm_bindgen(method, structural, setter, js_name = lastActive)]
    fn set_last_active(this: &Shown, value: &JsValue);
    #[wasm_bindgen(method, structural, setter)]
    fn set_status(this: &Shown, value: &JsValue);
    #[wasm_bindgen(method, structural, setter)]
    fn set_freshness(this: &Shown, value: &JsString);
    #[wasm_bindgen(method, structural, setter, js_name = asOf)]
    fn set_as_of(this: &Shown, value: &JsValue);
    #[wasm_bindgen(method, structural, setter)]
    fn set_user(this: &Shown, value: &JsValue);
    #[wasm_bindgen(method, structural, setter)]
    fn set_resync(this: &Shown, value: bool);
}

/// What is known of a user.
pub(super) fn of(shell: &Rc<Shell>, id: &str) -> Object {
    shell.catch_up();
    let object = Object::new();
    let shown: &Shown = object.unchecked_ref();
    let core = shell.core();
    let known = core.presence(id);
    let user = known.user.cloned().unwrap_or(JsValue::UNDEFINED);
    let (online, freshness, as_of) = (known.online, known.freshness, known.as_of);
    drop(core);
    shown.set_id(&wire::id(&user).unwrap_or_else(|| id.into()));
    shown.set_online(online);
    shown.set_last_active(&date(&wire::get(&user, "last_active")));
    shown.set_status(&Some(wire::get(&user, "status")).filter(JsValue::is_string).unwrap_or(JsValue::NULL));
    let freshness = match freshness {
        Freshness::Live => &LIVE,
        Freshness::Stale => &STALE,
        Freshness::Unknown => &UNKNOWN,
    };
    freshness.with(|freshness| shown.set_freshness(freshness));
    shown.set_as_of(&as_of.map_or(JsValue::NULL, |at| date_of(at).into()));
    shown.set_user(&user);
    object
}

/// The same, for whom it is news.
pub(super) fn change(shell: &Rc<Shell>, id: &str, resync: bool) -> JsValue {
    let object = of(shell, id);
    object.unchecked_ref::<Shown>().set_resync(resync);
    object.into()
}

/// A point in time, or null when there is none.
fn date(value: &JsValue) -> JsValue {
    let date = Date::new(value);
    if value.is_undefined() || value.is_null() || date.get_time().is_nan() { JsValue::NULL } else { date.into() }
}
