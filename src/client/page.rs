//! What of `src/page` is called from Rust, and the values that it takes.

use std::cell::Cell;

use js_sys::{Array, Date, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;

use crate::browser::{Engine, PresenceClient, set_engine};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(method, structural, js_name = connectUser)]
    pub(super) fn connect_user(this: &PresenceClient, user: &JsValue, token: &JsValue) -> Promise;
    #[wasm_bindgen(method, structural, js_name = disconnectUser)]
    pub(super) fn disconnect_user(this: &PresenceClient) -> Promise;
    #[wasm_bindgen(method, structural, catch, js_name = devToken)]
    pub(super) fn dev_token(this: &PresenceClient, id: &str) -> Result<String, JsValue>;
    #[wasm_bindgen(method, structural, js_name = watchPresence)]
    pub(super) fn watch_presence(this: &PresenceClient, ids: &Array) -> Promise;
    #[wasm_bindgen(method, structural, getter, js_name = userID)]
    pub(super) fn user_id(this: &PresenceClient) -> Option<String>;
    #[wasm_bindgen(method, structural, js_name = partialUpdateUser)]
    pub(super) fn partial_update_user(this: &PresenceClient, update: &JsValue) -> Promise;
    #[wasm_bindgen(method, structural, js_name = markInvisible)]
    pub(super) fn mark_invisible(this: &PresenceClient) -> Promise;
    #[wasm_bindgen(method, structural, js_name = markVisible)]
    pub(super) fn mark_visible(this: &PresenceClient) -> Promise;
    #[wasm_bindgen(method, structural, getter)]
    pub(super) fn connection(this: &PresenceClient) -> JsConnection;
    #[wasm_bindgen(method, structural, catch)]
    pub(super) fn on(this: &PresenceClient, kind: &str, handler: &JsValue) -> Result<JsSubscription, JsValue>;

    pub(super) type JsSubscription;
    #[wasm_bindgen(method, structural)]
    pub(super) fn unsubscribe(this: &JsSubscription);

    pub(super) type ConnectionEvent;
    #[wasm_bindgen(method, structural, getter)]
    pub(super) fn connection(this: &ConnectionEvent) -> JsConnection;

    pub(super) type JsConnection;
    #[wasm_bindgen(method, structural, getter)]
    pub(super) fn state(this: &JsConnection) -> String;
    #[wasm_bindgen(method, structural, getter, js_name = inDoubt)]
    pub(super) fn in_doubt(this: &JsConnection) -> bool;
    #[wasm_bindgen(method, structural, getter, js_name = nextTryIn)]
    pub(super) fn next_try_in(this: &JsConnection) -> Option<f64>;

    pub(super) type JsWatch;
    #[wasm_bindgen(method, structural, catch)]
    pub(super) fn get(this: &JsWatch, id: &str) -> Result<JsPresence, JsValue>;
    #[wasm_bindgen(method, structural)]
    pub(super) fn add(this: &JsWatch, ids: &Array) -> Promise;
    #[wasm_bindgen(method, structural, catch)]
    pub(super) fn remove(this: &JsWatch, ids: &Array) -> Result<(), JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    pub(super) fn on(this: &JsWatch, kind: &str, handler: &JsValue) -> Result<JsSubscription, JsValue>;
    #[wasm_bindgen(method, structural)]
    pub(super) fn stop(this: &JsWatch);

    pub(super) type JsPresence;
    #[wasm_bindgen(method, structural, getter)]
    pub(super) fn id(this: &JsPresence) -> String;
    #[wasm_bindgen(method, structural, getter)]
    pub(super) fn online(this: &JsPresence) -> bool;
    #[wasm_bindgen(method, structural, getter, js_name = lastActive)]
    pub(super) fn last_active(this: &JsPresence) -> Option<Date>;
    #[wasm_bindgen(method, structural, getter)]
    pub(super) fn status(this: &JsPresence) -> Option<String>;
    #[wasm_bindgen(method, structural, getter)]
    pub(super) fn freshness(this: &JsPresence) -> String;
    #[wasm_bindgen(method, structural, getter, js_name = asOf)]
    pub(super) fn as_of(this: &JsPresence) -> Option<Date>;
    #[wasm_bindgen(method, structural, getter)]
    pub(super) fn user(this: &JsPresence) -> JsValue;

    pub(super) type JsError;
    #[wasm_bindgen(method, structural, getter)]
    pub(super) fn code(this: &JsError) -> JsValue;
    #[wasm_bindgen(method, structural, getter)]
    pub(super) fn status(this: &JsError) -> Option<u16>;
    #[wasm_bindgen(method, structural, getter)]
    pub(super) fn retryable(this: &JsError) -> Option<bool>;
    #[wasm_bindgen(method, structural, getter)]
    pub(super) fn message(this: &JsError) -> Option<String>;
}

thread_local! {
    static IS_MADE: Cell<bool> = const { Cell::new(false) };
}

/// Tells the page how an engine is made: it cannot import it.
pub(super) fn make_engine() {
    if !IS_MADE.replace(true) {
        let make: Closure<dyn Fn() -> JsValue> = Closure::new(|| Engine::new().into());
        set_engine(&make.into_js_value());
    }
}

/// An object with these fields.
pub(super) fn object(fields: &[(&str, &JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // Fails only for what is no object.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}

pub(super) fn ids<Id: AsRef<str>>(ids: impl IntoIterator<Item = Id>) -> Array {
    ids.into_iter().map(|id| JsValue::from_str(id.as_ref())).collect()
}
