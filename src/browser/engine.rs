//! `Engine`: what `src/page` may call.
//!
//! Users are taken one by one, by [`Engine::watch`] and [`Engine::see`], before the call that is
//! about all of them: neither side then has to take the other's lists apart.

use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use web_sys::WebSocket;

use super::http;
use super::page::{self, Page};
use super::shell::Shell;
use crate::core::{Asked, Failure, Frame, Generation, Input, RequestId, Seen, Snapshot, WatchId};
use rollcall_protocol::Reaction;

/// When something was asked of the server; dates its answer.
#[wasm_bindgen]
pub struct Question(Asked);

#[wasm_bindgen]
pub struct Engine {
    shell: Rc<Shell>,
}

#[wasm_bindgen]
impl Engine {
    #[wasm_bindgen(constructor)]
    #[expect(clippy::new_without_default, reason = "it is JavaScript that makes it")]
    pub fn new() -> Engine {
        Engine { shell: Shell::new() }
    }

    // --- The connection -----------------------------------------------------------------------

    pub fn connect(&self, page: Page, renewable_token: bool) {
        self.shell.begin(page);
        self.shell.feed(Input::Connect { renewable_token });
    }

    /// Gives back the socket, which is closing. Listeners hear of it by [`Engine::pump`].
    pub fn disconnect(&self) -> Option<WebSocket> {
        self.shell.disconnect()
    }

    pub fn connection(&self) -> JsValue {
        self.shell.connection()
    }

    /// The id of the connection that is up.
    #[wasm_bindgen(js_name = connectionId)]
    pub fn connection_id(&self) -> Option<String> {
        self.shell.core().connection_id().map(str::to_owned)
    }

    /// Takes the socket that `open` opens, unless it came too late.
    pub fn open(&self, generation: u32, open: &Function) -> Result<(), JsValue> {
        self.shell.open(Generation(generation), open)
    }

    #[wasm_bindgen(js_name = dialFailed)]
    pub fn dial_failed(&self, generation: u32, reason: JsValue) {
        self.shell.feed(Input::DialFailed { generation: Generation(generation), reason });
    }

    #[wasm_bindgen(js_name = networkChanged)]
    pub fn network_changed(&self, online: bool) {
        self.shell.feed(Input::NetworkChanged { online });
    }

    /// The page is left.
    pub fn left(&self) {
        self.shell.feed(Input::Left);
    }

    pub fn woken(&self) {
        self.shell.feed(Input::Woken);
    }

    /// Looks at the time.
    pub fn look(&self) {
        self.shell.feed(Input::Timeout);
    }

    /// Looks at the time, if that is overdue. Whether there is something to carry out now, which
    /// listeners are to hear of after whoever asked.
    #[wasm_bindgen(js_name = catchUp)]
    pub fn catch_up(&self) -> bool {
        self.shell.catch_up()
    }

    /// Carries out what has not been yet.
    pub fn pump(&self) {
        self.shell.pump();
    }

    // --- Events -------------------------------------------------------------------------------

    /// A user comes or goes, or another profile is shown, or there is no such user any more.
    pub fn heard(&self, generation: u32, id: String, online: bool, deleted: bool, user: JsValue, payload: JsValue) {
        let user = Seen { id, online, subscribed: false, user };
        let frame = if deleted { Frame::Deleted { user, payload } } else { Frame::User { user, payload } };
        self.frame(generation, frame);
    }

    /// `said` is when the server says that it is; `pages` whether it takes large ones.
    pub fn health(&self, generation: u32, connection_id: String, said: f64, pages: bool, payload: JsValue) {
        let frame = if self.shell.is_answer(said) {
            Frame::Health { connection_id, pages, payload }
        } else {
            Frame::Other { payload }
        };
        self.frame(generation, frame);
    }

    /// The server may be wrong about others, or is no more.
    pub fn doubt(&self, generation: u32, in_doubt: bool) {
        self.frame(generation, Frame::Doubt { in_doubt });
    }

    pub fn refused(&self, generation: u32, code: i32, error: JsValue) {
        let retryable = Reaction::to(code) == Reaction::Retry;
        let payload = page::from_server(&error, JsValue::UNDEFINED, retryable, f64::NAN);
        self.frame(generation, Frame::Error { code, payload });
    }

    pub fn other(&self, generation: u32, payload: JsValue) {
        self.frame(generation, Frame::Other { payload });
    }

    fn frame(&self, generation: u32, frame: Frame<JsValue>) {
        self.shell.feed(Input::Frame { generation: Generation(generation), frame });
    }

    // --- Requests -----------------------------------------------------------------------------

    /// A mark to take before asking the server anything.
    pub fn asked(&self) -> Question {
        Question(self.shell.core().asked())
    }

    /// Resolves with the reply to what `fetch` is called with.
    pub fn request(&self, url: &JsValue, options: &JsValue) -> Promise {
        http::request(url, options)
    }

    /// What the core asked for was answered by those who were [seen](Engine::see).
    pub fn replied(&self, request: u32) {
        let result = Ok(self.shell.seen());
        self.shell.feed(Input::Replied { request: RequestId(request), result });
    }

    /// `retry_after` is in seconds, and not a number when the server named none.
    pub fn failed(&self, request: u32, retryable: bool, retry_after: f64, reason: JsValue) {
        drop(self.shell.seen());
        let retry_after = (retry_after >= 0.0).then_some((retry_after * 1000.0) as u64);
        let result = Err(Failure { retryable, retry_after, reason });
        self.shell.feed(Input::Replied { request: RequestId(request), result });
    }

    /// A user whom an answer shows; the next call takes all of them.
    pub fn see(&self, id: String, online: bool, subscribed: bool, user: JsValue) {
        self.shell.see(Seen { id, online, subscribed, user });
    }

    // --- Watching -----------------------------------------------------------------------------

    #[wasm_bindgen(js_name = newWatch)]
    pub fn new_watch(&self) -> u32 {
        self.shell.core().new_watch().0
    }

    pub fn watch(&self, watch: u32, id: &str) {
        self.shell.core().watch(WatchId(watch), id);
    }

    /// By which the page is told that there is word of those who were watched since the last one.
    pub fn ticket(&self, watch: u32) -> u32 {
        self.shell.core().ticket(WatchId(watch)).0
    }

    pub fn unwatch(&self, watch: u32, id: &str) {
        self.shell.core().unwatch(WatchId(watch), id);
    }

    pub fn listen(&self, watch: u32, wanted: bool) {
        self.shell.core().listen(WatchId(watch), wanted);
    }

    /// Watches those who were [seen](Engine::see).
    #[wasm_bindgen(js_name = watchUsers)]
    pub fn watch_users(&self, asked: &Question) {
        let users = self.shell.seen();
        self.shell.core().watch_users(Snapshot { asked: asked.0, users });
    }

    /// Watches a channel, in which were [seen](Engine::see) these.
    #[wasm_bindgen(js_name = watchChannel)]
    pub fn watch_channel(&self, cid: &str, watch: bool, presence: bool, asked: &Question) {
        let users = self.shell.seen();
        self.shell.core().watch_channel(cid, watch, presence, Snapshot { asked: asked.0, users });
    }

    /// The members of a channel are those who were [seen](Engine::see) since the last one, and no
    /// others.
    #[wasm_bindgen(js_name = watchMembers)]
    pub fn watch_members(&self, cid: &str, asked: &Question) {
        self.shell.watch_members(cid, asked.0);
    }

    #[wasm_bindgen(js_name = stopWatching)]
    pub fn stop_watching(&self, cid: &str) {
        self.shell.core().stop_watching(cid);
    }

    /// The user as an event since then showed them.
    pub fn newer(&self, asked: &Question, id: &str) -> JsValue {
        self.shell.core().heard_since(asked.0, id).cloned().unwrap_or(JsValue::UNDEFINED)
    }

    pub fn presence(&self, id: &str) -> JsValue {
        self.shell.presence(id, None)
    }
}
