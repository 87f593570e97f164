//! Being told of something, for as long as one wants to be.

use wasm_bindgen::prelude::*;

use super::error::Error;
use super::page::JsSubscription;

/// Whoever listens is called as long as this is kept.
#[must_use = "nobody is called any more once this is dropped"]
pub struct Subscription {
    subscription: JsSubscription,
    _listener: Closure<dyn Fn(JsValue)>,
}

impl Subscription {
    pub(super) fn new(
        listener: impl Fn(JsValue) + 'static,
        subscribe: impl FnOnce(&JsValue) -> Result<JsSubscription, JsValue>,
    ) -> Result<Self, Error> {
        let listener = Closure::new(listener);
        Ok(Self { subscription: subscribe(listener.as_ref())?, _listener: listener })
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.subscription.unsubscribe();
    }
}
