//! The protocol's REST calls, over `fetch`.

use std::rc::Rc;

use futures::channel::oneshot;
use gloo_net::http::{Method, Request, RequestBuilder};
use js_sys::encode_uri_component;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal};

use super::error::{self, Code};
use super::promise::Settle;
use super::session::Session;
use super::shell::Shell;
use super::timer::Timer;
use super::wire;
use crate::core::Asked;
use rollcall_protocol::ErrorCode;

/// How often one request fetches a new token before it takes the refusal for final.
const TOKEN_REFRESHES: u32 = 2;
/// The wait before a second new token, in milliseconds.
const REFRESH_PAUSE: u64 = 500;

/// One request.
pub(super) struct Call {
    pub(super) method: Method,
    /// The path after the base address, each segment encoded.
    pub(super) path: String,
    /// What goes into the address as `payload`, or into the body when the method has one.
    pub(super) payload: Option<JsValue>,
    /// Whether it subscribes to anything, and so must name the connection and wait for one.
    pub(super) subscribes: bool,
    pub(super) signal: Option<AbortSignal>,
}

impl Call {
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        Call { method, path: path.into(), payload: None, subscribes: false, signal: None }
    }

    pub(super) fn payload(mut self, payload: JsValue) -> Self {
        self.payload = Some(payload);
        self
    }

    pub(super) fn subscribes(mut self, subscribes: bool) -> Self {
        self.subscribes = subscribes;
        self
    }

    pub(super) fn signal(mut self, signal: Option<AbortSignal>) -> Self {
        self.signal = signal;
        self
    }

    /// Sends it as the connected user; `asked` dates the answer. A token that has expired is replaced on the way.
    pub(super) async fn send(self, shell: &Rc<Shell>, name: &str) -> Result<(Asked, JsValue), JsValue> {
        let session = shell.session(name)?;
        let signal = self.signal.clone();
        shell.work.within(shell.timeout, signal, self.attempts(shell, &session)).await
    }

    async fn attempts(&self, shell: &Rc<Shell>, session: &Session) -> Result<(Asked, JsValue), JsValue> {
        if self.subscribes {
            shell.connected().await?;
        }
        let mut refused: Option<String> = None;
        for refreshes in 0.. {
            let token = session.token.get(refused.as_deref()).await?;
            let asked = shell.core.borrow().asked();
            match self.attempt(shell, session, &token).await {
                Err(problem)
                    if refreshes < TOKEN_REFRESHES && session.token.is_renewable() && is_token_expired(&problem) =>
                {
                    if refreshes > 0 {
                        pause(REFRESH_PAUSE).await;
                    }
                    refused = Some(token);
                }
                result => return result.map(|reply| (asked, reply)),
            }
        }
        // The loop above only ends by returning.
        Err(error::disconnected())
    }

    async fn attempt(&self, shell: &Rc<Shell>, session: &Session, token: &str) -> Result<JsValue, JsValue> {
        let mut url = format!(
            "{}{}?user_id={}&api_key={}",
            shell.base_url,
            self.path,
            encode_uri_component(&session.user_id),
            encode_uri_component(&shell.api_key)
        );
        if let Some(id) = shell.connection_id() {
            url.push_str("&connection_id=");
            url.push_str(&String::from(encode_uri_component(&id)));
        }
        let text = self.payload.as_ref().map(wire::stringify).transpose()?;
        let in_address = self.method == Method::GET;
        if let (true, Some(text)) = (in_address, text.as_ref().and_then(JsValue::as_string)) {
            url.push_str("&payload=");
            url.push_str(&String::from(encode_uri_component(&text)));
        }

        let aborting = AbortOnDrop::new()?;
        let request = RequestBuilder::new(&url)
            .method(self.method.clone())
            .header("Authorization", token)
            .header("stream-auth-type", "jwt")
            .header("X-Stream-Client", super::shell::CLIENT_NAME)
            .abort_signal(Some(&aborting.0.signal()));
        let request: Result<Request, _> = match text {
            Some(text) if !in_address => request.header("Content-Type", "application/json").body(text),
            _ => request.build(),
        };
        let response = request.map_err(unreachable)?.send().await.map_err(unreachable)?;

        let (status, ok) = (response.status(), response.ok());
        let retry_after = response.headers().get("retry-after");
        let response: web_sys::Response = response.into();
        let body = match response.json() {
            Ok(promise) => JsFuture::from(promise).await.unwrap_or(JsValue::UNDEFINED),
            Err(_) => JsValue::UNDEFINED,
        };
        if ok {
            return Ok(body);
        }
        let problem = error::from_server(&body, Some(status));
        if let Some(seconds) = retry_after.and_then(|text| text.trim().parse::<u32>().ok()) {
            error::set_retry_after(&problem, seconds);
        }
        Err(problem)
    }
}

/// One segment of a path.
pub(super) fn segment(text: &str) -> String {
    encode_uri_component(text).into()
}

fn is_token_expired(problem: &JsValue) -> bool {
    wire::get(problem, "code").as_f64() == Some(f64::from(ErrorCode::TokenExpired.number()))
}

fn unreachable(problem: gloo_net::Error) -> JsValue {
    error::error(Code::Network, &format!("the server could not be reached ({problem}); check baseURL and the network"))
}

async fn pause(milliseconds: u64) {
    let (sender, done) = oneshot::channel();
    let mut sender: Option<Settle> = Some(sender);
    let _timer = Timer::after(milliseconds, move || {
        sender.take().map(|sender| sender.send(Ok(JsValue::UNDEFINED)));
    });
    let _ = done.await;
}

/// Ends a `fetch` that nobody waits for any more.
struct AbortOnDrop(AbortController);

impl AbortOnDrop {
    fn new() -> Result<Self, JsValue> {
        AbortController::new().map(AbortOnDrop)
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        // Does nothing once the answer has been read.
        self.0.abort();
    }
}
