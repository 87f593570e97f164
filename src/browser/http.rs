//! One call of the protocol's REST interface, over `fetch`.

use gloo_net::http::Response;
use js_sys::{Object, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{AbortSignal, RequestInit};

use super::page;
use super::shell::{CLIENT_NAME, Shell};
use rollcall_protocol::{ErrorCode, Reaction};

#[wasm_bindgen]
extern "C" {
    /// The global one: pages, workers and Node all have it.
    fn fetch(url: &str, init: &RequestInit) -> Promise;
    /// A part of an address.
    #[wasm_bindgen(js_name = encodeURIComponent)]
    pub(super) fn segment(text: &str) -> String;
    /// The same of what JavaScript wrote as JSON, which has a form as UTF-8.
    #[wasm_bindgen(js_name = encodeURIComponent)]
    fn segment_of(text: &JsValue) -> String;
    #[wasm_bindgen(js_namespace = Reflect, js_name = get, catch)]
    fn reflect_get(target: &JsValue, key: &str) -> Result<JsValue, JsValue>;
    /// Of a plain object, which takes anything.
    #[wasm_bindgen(js_namespace = Reflect, js_name = set)]
    fn set(target: &Object, key: &str, value: &str);
}

/// The method whose payload goes into the address.
const GET: &str = "GET";

/// Resolves with the body of the answer; see [`super::Engine::request`].
pub(super) fn request(
    shell: &Shell,
    user_id: &str,
    token: &str,
    method: &str,
    path: &str,
    payload: &JsValue,
    signal: &AbortSignal,
) -> Promise {
    let mut url = shell.address("http", path);
    let mut add = |name: &str, value: &str| {
        url.push_str(name);
        url.push_str(value);
    };
    add("&user_id=", &segment(user_id));
    if let Some(id) = shell.connection_id() {
        add("&connection_id=", &segment(&id));
    }
    let headers = Object::new();
    set(&headers, "Authorization", token);
    set(&headers, "stream-auth-type", "jwt");
    set(&headers, "X-Stream-Client", CLIENT_NAME);
    let init = RequestInit::new();
    if method == GET {
        add("&payload=", &segment_of(payload));
    } else {
        set(&headers, "Content-Type", "application/json");
        init.set_body(payload);
    }
    init.set_method(method);
    init.set_signal(Some(signal));
    init.set_headers(&headers);
    future_to_promise(answer(fetch(&url, &init)))
}

async fn answer(fetched: Promise) -> Result<JsValue, JsValue> {
    let response = JsFuture::from(fetched).await.map_err(|problem| page::unreachable(&get(&problem, "message")))?;
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
    if !(200..300).contains(&status) {
        let code = get(&body, "code").as_f64().map_or(ErrorCode::Internal.number(), |code| code as i32);
        let retryable = Reaction::to(code) == Reaction::Retry;
        return Err(page::from_server(&body, status.into(), retryable, retry_after));
    }
    // A hotel's page says 200 too, and nothing about who is online.
    if body.is_object() { Ok(body) } else { Err(page::unreachable(&"its answer is no JSON".into())) }
}

/// A field of an object; undefined when there is none, or when it is no object.
fn get(target: &JsValue, key: &str) -> JsValue {
    // Throws on what is no object.
    reflect_get(target, key).unwrap_or(JsValue::UNDEFINED)
}
