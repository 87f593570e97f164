//! Between Rust's futures and closures and JavaScript's promises and callbacks.
//!
//! Each of these exists once and takes boxes: the machinery around them is then compiled, and
//! downloaded, once and not once for every call.

use std::future::Future;
use std::pin::Pin;

use futures::channel::oneshot;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

pub(super) type Outcome = Result<JsValue, JsValue>;
/// Settles something that waits.
pub(super) type Settle = oneshot::Sender<Outcome>;
/// A function that JavaScript may call for as long as this lives.
pub(super) type Callback = Closure<dyn FnMut(JsValue)>;

pub(super) fn promise(future: impl Future<Output = Outcome> + 'static) -> Promise {
    let boxed: Pin<Box<dyn Future<Output = Outcome>>> = Box::pin(future);
    future_to_promise(boxed)
}

/// A call that failed before it could begin rejects like one that failed later.
pub(super) fn settled(begun: Result<Promise, JsValue>) -> Promise {
    begun.unwrap_or_else(|problem| Promise::reject(&problem))
}

pub(super) fn callback(function: impl FnMut(JsValue) + 'static) -> Callback {
    Closure::wrap(Box::new(function) as Box<dyn FnMut(JsValue)>)
}
