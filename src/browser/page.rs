//! The page's side of the boundary: what of `src/page` is called from here.

use js_sys::Array;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// `PresenceClient`, which carries out what the core says.
    pub type Page;
    #[wasm_bindgen(method, structural, js_name = _dial)]
    pub(super) fn dial(this: &Page, generation: u32);
    #[wasm_bindgen(method, structural, js_name = _tokenRefused)]
    pub(super) fn token_refused(this: &Page);
    #[wasm_bindgen(method, structural, js_name = _settled)]
    pub(super) fn settled(this: &Page, frame: &JsValue, problem: &JsValue);
    #[wasm_bindgen(method, structural, js_name = _over)]
    pub(super) fn over(this: &Page, reason: &JsValue);
    #[wasm_bindgen(method, structural, js_name = _ask)]
    pub(super) fn ask(
        this: &Page,
        request: u32,
        ids: Array,
        are_users: bool,
        watch: bool,
        presence: bool,
        patience: f64,
    );
    #[wasm_bindgen(method, structural, js_name = _word)]
    pub(super) fn word(this: &Page, ticket: u32, problem: &JsValue);
    #[wasm_bindgen(method, structural, js_name = _changed)]
    pub(super) fn changed(this: &Page, watch: u32, change: JsValue);
    #[wasm_bindgen(method, structural, js_name = _deliver)]
    pub(super) fn deliver(this: &Page, event: &JsValue);
    #[wasm_bindgen(method, structural, js_name = _emit)]
    pub(super) fn emit(this: &Page, kind: &str, name: &str, value: JsValue);
    #[wasm_bindgen(method, structural, js_name = _learnt)]
    pub(super) fn learnt(this: &Page, flipped: bool, lost: bool, user: &JsValue);
}

#[wasm_bindgen(module = "/src/page/error.js")]
extern "C" {
    #[wasm_bindgen(js_name = fromServer)]
    pub(super) fn from_server(body: &JsValue, status: JsValue, retryable: bool, retry_after: f64) -> JsValue;
    pub(super) fn unreachable(reason: &JsValue) -> JsValue;
    pub(super) fn closed(code: u16) -> JsValue;
    #[wasm_bindgen(js_name = notAccepted)]
    pub(super) fn not_accepted() -> JsValue;
}

#[wasm_bindgen(module = "/src/page/presence.js")]
extern "C" {
    #[wasm_bindgen(js_name = profilesDiffer)]
    pub(super) fn profiles_differ(one: &JsValue, other: &JsValue) -> bool;
    pub(super) fn presence(
        id: Option<&str>,
        user: &JsValue,
        online: bool,
        freshness: u32,
        ago: f64,
        resync: Option<bool>,
    ) -> JsValue;
    pub(super) fn connection(state: u32, since: f64, in_doubt: bool, last_heard: f64, next_try_in: f64) -> JsValue;
}

#[wasm_bindgen(module = "/src/page/client.js")]
extern "C" {
    /// What an app in JavaScript has in its hands; the package exports it as it is.
    #[derive(Clone)]
    pub type PresenceClient;
    #[wasm_bindgen(constructor, catch)]
    pub fn new(api_key: &str, options: &JsValue) -> Result<PresenceClient, JsValue>;
}

#[wasm_bindgen(module = "/src/page/engine.js")]
extern "C" {
    #[wasm_bindgen(js_name = setEngine)]
    pub fn set_engine(make: &JsValue);
}

/// What those import has to come along: the files that are named here are, if they are used.
macro_rules! bring {
    ($($name:ident $file:literal)*) => {
        $(
            #[wasm_bindgen(module = $file)]
            extern "C" {
                #[allow(dead_code)]
                type $name;
            }
        )*
    };
}

bring! {
    AddressFile "/src/page/address.js"
    CallsFile "/src/page/calls.js"
    ChannelFile "/src/page/channel.js"
    EventsFile "/src/page/events.js"
    InputFile "/src/page/input.js"
    LifecycleFile "/src/page/lifecycle.js"
    ListenersFile "/src/page/listeners.js"
    ReaderFile "/src/page/reader.js"
    RequestsFile "/src/page/requests.js"
    SessionFile "/src/page/session.js"
    StateFile "/src/page/state.js"
    TokenFile "/src/page/token.js"
    UserFile "/src/page/user.js"
    WatchFile "/src/page/watch.js"
    WorkFile "/src/page/work.js"
}
