//! The protocol's REST calls, over `fetch`.

use std::rc::Rc;

use gloo_net::http::Response;
use js_sys::{Promise, encode_uri_component};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal};

use super::error::{self, Code};
use super::promise::{Outcome, promise};
use super::session::Session;
use super::shell::Shell;
use super::timer::set_timeout;
use super::wire;
use crate::core::{Asked, Input};
use rollcall_protocol::ErrorCode;

#[wasm_bindgen]
extern "C" {
    /// The global one: pages, workers and Node all have it.
    fn fetch(url: &str, init: &web_sys::RequestInit) -> Promise;
}

/// The method whose payload goes into the address.
pub(super) const GET: &str = "GET";
/// How often one request fetches a new token before it takes the refusal for final.
const TOKEN_REFRESHES: u32 = 2;
/// The wait before a second new token, in milliseconds.
const REFRESH_PAUSE: u64 = 500;

/// What becomes of an answer: it is dated by when it was asked for.
pub(super) type Then = Box<dyn FnOnce(Result<(Asked, JsValue), JsValue>) -> Outcome>;

/// One request.
pub(super) struct Call {
    /// What the app called, for messages.
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    /// The path after the base address, each segment encoded.
    pub(super) path: String,
    /// What goes into the address as `payload`, or into the body when the method has one.
    pub(super) payload: JsValue,
    /// Whether it subscribes to anything, and so must name the connection and wait for one.
    pub(super) subscribes: bool,
    pub(super) signal: Option<AbortSignal>,
    /// A promise that it waits for before it goes out, or undefined.
    pub(super) after: JsValue,
    /// How long it may take, in milliseconds, where that is less than the app's `timeout`.
    pub(super) patience: Option<u64>,
}

impl Call {
    /// A request that subscribes to nothing.
    pub(super) fn new(name: &'static str, method: &'static str, path: String, payload: JsValue) -> Self {
        Call { name, method, path, payload, subscribes: false, signal: None, after: JsValue::UNDEFINED, patience: None }
    }

    /// Sends it as the connected user. What the app passed is read before this returns; a token
    /// that has expired is replaced on the way; `then` hears of the answer unless the request
    /// could not even begin.
    pub(super) fn send(self, shell: &Rc<Shell>, then: Then) -> Promise {
        let prepared = shell.session(self.name).and_then(|session| {
            let timeout = self.patience.map_or(shell.timeout, |patience| patience.min(shell.timeout));
            let deadline = shell.work.begin(Some(timeout), self.signal.clone())?;
            Ok((session, self.text()?, deadline))
        });
        match prepared {
            Ok((session, text, deadline)) => {
                let shell = shell.clone();
                promise(async move {
                    let request = Request { shell: &shell, session: &session, call: &self, text };
                    let answer = deadline.run(request.answer()).await;
                    // An answer may be the first thing that a page hears after a sleep.
                    shell.feed(Input::Timeout);
                    then(answer)
                })
            }
            Err(problem) => Promise::reject(&problem),
        }
    }

    fn text(&self) -> Result<JsValue, JsValue> {
        wire::stringify(&self.payload).map_err(|problem| {
            let reason = wire::get(&problem, "message").as_string().unwrap_or_default();
            error::invalid(&[self.name, ": what was passed cannot be sent as JSON: ", &reason])
        })
    }
}

/// A call on its way.
struct Request<'a> {
    shell: &'a Shell,
    session: &'a Session,
    call: &'a Call,
    text: JsValue,
}

impl Request<'_> {
    async fn answer(self) -> Result<(Asked, JsValue), JsValue> {
        if let Some(earlier) = self.call.after.dyn_ref::<Promise>() {
            let _ = JsFuture::from(earlier.clone()).await;
        }
        if self.call.subscribes {
            self.shell.connected().await?;
        }
        let mut refused: Option<String> = None;
        let mut refreshes = 0;
        loop {
            let token = self.session.token.get(refused.as_deref()).await?;
            let asked = self.shell.core().asked();
            let Answer { status, retry_after, body } = self.fetch(&token).await?;
            if (200..300).contains(&status) {
                // A hotel's page says 200 too, and nothing about who is online.
                return if body.is_object() { Ok((asked, body)) } else { Err(unreachable("its answer is no JSON")) };
            }
            let problem = error::from_server(&body, Some(status));
            if is_token_expired(&problem) && self.session.token.is_renewable() && refreshes < TOKEN_REFRESHES {
                if refreshes > 0 {
                    pause(REFRESH_PAUSE).await;
                }
                refreshes += 1;
                refused = Some(token);
                continue;
            }
            if retry_after >= 0.0 {
                error::set_retry_after(&problem, retry_after);
            }
            return Err(problem);
        }
    }

    fn url(&self) -> String {
        let shell = self.shell;
        let (user, key) = (segment(&self.session.user_id), segment(&shell.api_key));
        let mut url = wire::concat(&[&shell.base_url, &self.call.path, "?user_id=", &user, "&api_key=", &key]);
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                url.push_str(name);
                url.push_str(&segment(&value));
            }
        };
        add("&connection_id=", shell.connection_id());
        add("&payload=", self.text.as_string().filter(|_| self.call.method == GET));
        url
    }

    async fn fetch(&self, token: &str) -> Result<Answer, JsValue> {
        let aborting = AbortOnDrop(AbortController::new().ok());
        let headers = wire::object("Authorization", &token.into());
        wire::set(&headers, "stream-auth-type", &"jwt".into());
        wire::set(&headers, "X-Stream-Client", &super::shell::CLIENT_NAME.into());
        let init = web_sys::RequestInit::new();
        init.set_method(self.call.method);
        init.set_signal(aborting.0.as_ref().map(AbortController::signal).as_ref());
        if self.call.method != GET {
            wire::set(&headers, "Content-Type", &"application/json".into());
            init.set_body(&self.text);
        }
        init.set_headers(&headers);
        let response = JsFuture::from(fetch(&self.url(), &init)).await.map_err(failed)?;
        let response = Response::from(response.unchecked_into::<web_sys::Response>());
        // As JavaScript's unary plus reads it: neither a missing header nor a date is a number.
        let header = |name| JsValue::from(response.headers().get(name)).unchecked_into_f64();
        let status = response.status();
        let mut retry_after = header("retry-after");
        if status == ErrorCode::RateLimited.status() && retry_after.is_nan() {
            // The protocol's own way to say it: the second at which one may come back.
            retry_after = (header("x-ratelimit-reset") - js_sys::Date::now() / 1000.0).ceil();
        }
        let body = match web_sys::Response::from(response).json() {
            Ok(promise) => JsFuture::from(promise).await.unwrap_or(JsValue::UNDEFINED),
            Err(_) => JsValue::UNDEFINED,
        };
        Ok(Answer { status, retry_after, body })
    }
}

/// What a server answered; the body is undefined when it is not JSON.
struct Answer {
    status: u16,
    /// Seconds; not a number when the server named none.
    retry_after: f64,
    body: JsValue,
}

/// One segment of a path.
pub(super) fn segment(text: &str) -> String {
    encode_uri_component(text).into()
}

fn is_token_expired(problem: &JsValue) -> bool {
    wire::get(problem, "code").as_f64() == Some(f64::from(ErrorCode::TokenExpired.number()))
}

fn failed(problem: JsValue) -> JsValue {
    unreachable(&wire::get(&problem, "message").as_string().unwrap_or_default())
}

fn unreachable(reason: &str) -> JsValue {
    error::error(Code::Network, &["the server could not be reached (", reason, "); check baseURL and the network"])
}

async fn pause(milliseconds: u64) {
    let _ = JsFuture::from(Promise::new(&mut |done, _| {
        set_timeout(&done, milliseconds as f64);
    }))
    .await;
}

/// Ends a `fetch` that nobody waits for any more.
struct AbortOnDrop(Option<AbortController>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        // Does nothing once the answer has been read.
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}
