//! `setTimeout`, cleared on drop. Bound to the global: pages, workers and Node all have it.

use wasm_bindgen::prelude::*;

use super::promise::{Callback, callback};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, milliseconds: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
}

pub(super) struct Timer {
    id: JsValue,
    _callback: Callback,
}

impl Timer {
    /// Calls `due` once; what it is called with means nothing.
    pub(super) fn after(milliseconds: u64, due: impl FnMut(JsValue) + 'static) -> Self {
        let callback = callback(due);
        let id = set_timeout(callback.as_ref(), milliseconds as f64);
        Timer { id, _callback: callback }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}

/// Milliseconds since 1970. The wall clock, because it goes on while a machine sleeps.
pub(super) fn now() -> u64 {
    js_sys::Date::now() as u64
}
