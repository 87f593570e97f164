//! One call of the protocol's REST interface, over `fetch`.

use gloo_net::http::Response;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::page;
use rollcall_protocol::{ErrorCode, Reaction};

#[wasm_bindgen]
extern "C" {
    /// The global one: pages, workers and Node all have it.
    fn fetch(url: &JsValue, options: &JsValue) -> Promise;
    #[wasm_bindgen(js_namespace = Reflect, js_name = get, catch)]
    fn reflect_get(target: &JsValue, key: &str) -> Result<JsValue, JsValue>;
}

/// Resolves with the body of the answer.
pub(super) fn request(url: &JsValue, options: &JsValue) -> Promise {
    future_to_promise(answer(fetch(url, options)))
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
        // No code of the protocol is 0, which is also what becomes of anything but a number.
        let code = Some(get(&body, "code").unchecked_into_f64() as i32).filter(|code| *code != 0);
        let code = code.unwrap_or(ErrorCode::Internal.number());
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
