//! The client in a real browser engine, on a network that the test holds in its hands.
//! `wasm-pack test --headless --chrome` (or `--firefox`) runs it.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::expect_used, reason = "a test that panics has failed")]

#[path = "browser/channels.rs"]
mod channels;
#[path = "browser/client.rs"]
mod client;
#[path = "browser/connecting.rs"]
mod connecting;
#[path = "browser/lifecycle.rs"]
mod lifecycle;
#[path = "browser/listeners.rs"]
mod listeners;
#[path = "browser/requests.rs"]
mod requests;
#[path = "browser/story.rs"]
mod story;
#[path = "browser/users.rs"]
mod users;
#[path = "browser/watches.rs"]
mod watches;

use js_sys::{Array, JSON, Object};
use story::Story;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn what_is_exported_is_what_is_declared() {
    let story = Story::new();
    let prototype = Object::get_prototype_of(story.client.unchecked_ref());
    let names: Array = Object::get_own_property_names(&prototype);
    let listed: String = JSON::stringify(&names.sort()).map(Into::into).unwrap_or_default();
    for name in
        ["connectUser", "disconnectUser", "queryUsers", "queryChannels", "watchPresence", "channel", "on", "off"]
    {
        assert!(listed.contains(name), "{name} is not among {listed}");
    }
}
