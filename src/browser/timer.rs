//! The clock, and `setTimeout`, cleared on drop. Bound to the global: pages, workers and Node all
//! have them.

use std::cell::Cell;

use js_sys::Date;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, milliseconds: f64) -> JsValue;
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

/// What the clocks said when they were last looked at.
#[derive(Clone, Copy)]
struct Look {
    /// The wall clock,
    wall: f64,
    /// and what was made of it.
    now: f64,
    /// How far that was ahead of the steady clock, when this was last asked.
    slept: f64,
}

thread_local! {
    static LAST: Cell<Option<Look>> = const { Cell::new(None) };
}

/// Milliseconds since the page was opened. Goes by the wall clock, which goes on while the machine
/// sleeps, as the steady one does not everywhere, and which costs a browser next to nothing. Never
/// runs backwards: when the wall clock was set back, the steady one tells how long it has been.
pub(super) fn now() -> u64 {
    let wall = Date::now();
    let look = match LAST.get() {
        Some(last) if wall >= last.wall => Look { wall, now: last.now + (wall - last.wall), ..last },
        last => {
            let steady = steady_clock();
            let now = last.map_or(steady, |last| (steady + last.slept).max(last.now));
            Look { wall, now, slept: now - steady }
        }
    };
    LAST.set(Some(look));
    look.now as u64
}
