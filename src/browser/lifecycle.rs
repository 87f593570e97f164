//! What the browser says of the page and of the network. Workers hear less of it, Node nothing;
//! there the health checks have to do.

use wasm_bindgen::prelude::*;

use super::promise::{Callback, callback};
use super::wire;
use crate::core::Input;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = addEventListener, catch)]
    fn add_event_listener(kind: &str, handler: &JsValue, capture: bool) -> Result<(), JsValue>;
    #[wasm_bindgen(js_name = removeEventListener, catch)]
    fn remove_event_listener(kind: &str, handler: &JsValue, capture: bool) -> Result<(), JsValue>;
}

/// Nothing need be done at `freeze`: a frozen page runs nothing until `resume`, which comes before
/// anything else.
const EVENTS: [&str; 6] = ["online", "offline", "visibilitychange", "pagehide", "pageshow", "resume"];

/// Listens until dropped.
pub(super) struct Lifecycle {
    handler: Callback,
}

impl Lifecycle {
    pub(super) fn watch(mut tell: impl FnMut(Input<JsValue>) + 'static) -> Self {
        let handler = callback(move |event| {
            let input = match wire::kind(&event).as_deref() {
                Some("online") => Input::NetworkChanged { online: true },
                Some("offline") => Input::NetworkChanged { online: false },
                // An open socket would keep the page out of the back-forward cache, and the server
                // hears at once that the page is left.
                Some("pagehide") => Input::Left,
                Some("visibilitychange") if !is_visible(&event) => return,
                // A page that has just been loaded comes back from nowhere.
                Some("pageshow") if !wire::get(&event, "persisted").is_truthy() => return,
                _ => Input::Woken,
            };
            tell(input);
        });
        for kind in EVENTS {
            // Captured: some of these are fired at the document and do not rise from there.
            let _ = add_event_listener(kind, handler.as_ref(), true);
        }
        Lifecycle { handler }
    }
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        for kind in EVENTS {
            let _ = remove_event_listener(kind, self.handler.as_ref(), true);
        }
    }
}

fn is_visible(event: &JsValue) -> bool {
    wire::get(&wire::get(event, "target"), "visibilityState") == "visible"
}
