//! The protocol's REST calls, over `fetch`.

use std::rc::Rc;

use gloo_net::http::Response;
use js_sys::{Array, Promise, encode_uri_component};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit};

use super::engine::Question;
use super::page::{self, Token};
use super::shell::{CLIENT_NAME, Shell};
use super::timer::set_timeout;
use rollcall_protocol::{ErrorCode, Reaction};

#[wasm_bindgen]
extern "C" {
    /// The global one: pages, workers and Node all have it.
    fn fetch(url: &str, init: &RequestInit) -> Promise;
    #[wasm_bindgen(js_namespace = Reflect, js_name = get, catch)]
    fn reflect_get(target: &JsValue, key: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = Reflect, js_name = set, catch)]
    fn reflect_set(target: &JsValue, key: &str, value: &JsValue) -> Result<bool, JsValue>;
}

/// The method whose payload goes into the address.
const GET: &str = "GET";
/// How often one request fetches a new token before it takes the refusal for final.
const TOKEN_REFRESHES: u32 = 2;
/// The wait before a second new token, in milliseconds.
const REFRESH_PAUSE: f64 = 500.0;

/// A request on its way.
pub(super) struct Request {
    pub(super) shell: Rc<Shell>,
    /// Whose it is,
    pub(super) user_id: String,
    /// and their token.
    pub(super) token: Token,
    pub(super) method: String,
    /// After the base address, each segment encoded.
    pub(super) path: String,
    /// JSON: goes into the address as `payload`, or into the body when the method has one.
    pub(super) payload: JsValue,
    /// Ends it early.
    pub(super) signal: AbortSignal,
}

/// What a server answered; the body is undefined when it is not JSON.
struct Answer {
    status: u16,
    /// Seconds; not a number when the server named none.
    retry_after: f64,
    body: JsValue,
}

impl Request {
    /// The answer, and when it was asked for: `[Question, body]`. A token that has expired is
    /// replaced on the way.
    pub(super) async fn answer(self) -> Result<JsValue, JsValue> {
        let mut refused = JsValue::UNDEFINED;
        let mut refreshes = 0;
        loop {
            let token = JsFuture::from(self.token.other_than(&refused)).await?;
            let asked = self.shell.core().asked();
            let Answer { status, retry_after, body } = self.fetch(&token).await?;
            if (200..300).contains(&status) {
                // A hotel's page says 200 too, and nothing about who is online.
                if !body.is_object() {
                    return Err(page::unreachable("its answer is no JSON"));
                }
                return Ok(Array::of2(&Question::from(asked).into(), &body).into());
            }
            let code = get(&body, "code").as_f64().map_or(ErrorCode::Internal.number(), |code| code as i32);
            if code == ErrorCode::TokenExpired.number() && self.token.is_renewable() && refreshes < TOKEN_REFRESHES {
                if refreshes > 0 {
                    pause(REFRESH_PAUSE).await;
                }
                refreshes += 1;
                refused = token;
                continue;
            }
            let retryable = Reaction::to(code) == Reaction::Retry;
            return Err(page::from_server(&body, status.into(), retryable, retry_after));
        }
    }

    fn url(&self) -> String {
        let mut url = self.shell.address("http", &self.path);
        let mut add = |name: &str, value: &str| {
            url.push_str(name);
            url.push_str(&segment(value));
        };
        add("&user_id=", &self.user_id);
        if let Some(id) = self.shell.connection_id() {
            add("&connection_id=", &id);
        }
        if self.method == GET {
            add("&payload=", &self.payload.as_string().unwrap_or_default());
        }
        url
    }

    async fn fetch(&self, token: &JsValue) -> Result<Answer, JsValue> {
        let headers = js_sys::Object::new();
        let header = |name: &str, value: &JsValue| {
            let _ = reflect_set(&headers, name, value);
        };
        header("Authorization", token);
        header("stream-auth-type", &"jwt".into());
        header("X-Stream-Client", &CLIENT_NAME.into());
        let init = RequestInit::new();
        init.set_method(&self.method);
        init.set_signal(Some(&self.signal));
        if self.method != GET {
            header("Content-Type", &"application/json".into());
            init.set_body(&self.payload);
        }
        init.set_headers(&headers);
        let response = JsFuture::from(fetch(&self.url(), &init))
            .await
            .map_err(|problem| page::unreachable(&get(&problem, "message").as_string().unwrap_or_default()))?;
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

/// A part of an address.
pub(super) fn segment(text: &str) -> String {
    encode_uri_component(text).into()
}

/// A field of an object; undefined when there is none, or when it is no object.
fn get(target: &JsValue, key: &str) -> JsValue {
    // Throws on what is no object.
    reflect_get(target, key).unwrap_or(JsValue::UNDEFINED)
}

async fn pause(milliseconds: f64) {
    let _ = JsFuture::from(Promise::new(&mut |done, _| {
        set_timeout(&done, milliseconds);
    }))
    .await;
}
