//! The clock, and `setTimeout`, cleared on drop. Bound to the global: pages, workers and Node all
//! have them.

use std::cell::Cell;

use js_sys::Date;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    pub(super) fn set_timeout(callback: &JsValue, milliseconds: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn steady_clock() -> f64;
}

/// A function that JavaScript may call for as long as this lives. There is but this kind, so that
/// the machinery around it is downloaded once.
pub(super) type Callback = Closure<dyn FnMut(JsValue)>;

pub(super) fn callback(function: impl FnMut(JsValue) + 'static) -> Callback {
    Closure::wrap(Box::new(function) as Box<dyn FnMut(JsValue)>)
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

/// The two clocks may drift apart by this much, in milliseconds, before it means anything.
const DRIFT: f64 = 1_000.0;

thread_local! {
    /// The wall clock less the steady one, when they last agreed; and what the steady one slept
    /// through.
    static CLOCKS: Cell<Option<(f64, f64)>> = const { Cell::new(None) };
}

/// Milliseconds since the page was opened. Never runs backwards, as the wall clock does when it is
/// set; and goes on while the machine sleeps, as the steady one does not everywhere.
pub(super) fn now() -> u64 {
    let steady = steady_clock();
    let apart = Date::now() - steady;
    let (mut agreed, mut slept) = CLOCKS.get().unwrap_or((apart, 0.0));
    if (apart - agreed).abs() > DRIFT {
        slept += (apart - agreed).max(0.0);
        agreed = apart;
    }
    CLOCKS.set(Some((agreed, slept)));
    (steady + slept) as u64
}
