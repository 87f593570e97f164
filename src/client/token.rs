//! The user's token.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

/// What proves to the server who connects: a token, or how to get one.
#[derive(Clone, Debug)]
pub struct Token(JsValue);

impl Token {
    /// A token that is fetched from the app's backend: when connecting, and again whenever the
    /// last one has expired. What `fetch` fails with is the cause of the error that the app gets.
    pub fn fetched<F, Fut>(fetch: F) -> Self
    where
        F: Fn() -> Fut + 'static,
        Fut: Future<Output = Result<String, JsValue>> + 'static,
    {
        let provider: Closure<dyn Fn() -> Promise> = Closure::new(move || {
            let token = fetch();
            future_to_promise(async { token.await.map(JsValue::from) })
        });
        Self(provider.into_js_value())
    }
}

impl From<&str> for Token {
    fn from(token: &str) -> Self {
        Self(token.into())
    }
}

impl From<String> for Token {
    fn from(token: String) -> Self {
        Self(token.into())
    }
}

impl From<Token> for JsValue {
    fn from(Token(token): Token) -> Self {
        token
    }
}
