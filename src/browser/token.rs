//! The user's token: given once, or fetched by a provider when it is needed.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::error::{self, Code};
use super::slot::Slot;
use super::wire;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch)]
    fn atob(text: &str) -> Result<String, JsValue>;
    #[wasm_bindgen(catch)]
    fn btoa(text: &str) -> Result<String, JsValue>;
}

pub(super) enum Token {
    Fixed(String),
    Provided { provider: Function, user_id: String, current: Slot<Option<Promise>> },
}

impl Token {
    /// Takes `connectUser`'s second argument.
    pub(super) fn new(value: JsValue, user_id: &str) -> Result<Self, JsValue> {
        if let Some(token) = value.as_string() {
            check_owner(&token, user_id)?;
            return Ok(Token::Fixed(token));
        }
        match value.dyn_into::<Function>() {
            Ok(provider) => Ok(Token::Provided { provider, user_id: user_id.to_owned(), current: Slot::default() }),
            Err(_) => Err(error::invalid(&[
                "connectUser: the second argument must be a token, or a function that returns a promise of one",
            ])),
        }
    }

    pub(super) fn is_renewable(&self) -> bool {
        matches!(self, Token::Provided { .. })
    }

    /// The token; with `refresh`, a new one. Callers at the same time share one call of the provider.
    pub(super) async fn get(&self, refresh: Option<&str>) -> Result<String, JsValue> {
        let (provider, user_id, current) = match self {
            Token::Fixed(token) => return Ok(token.clone()),
            Token::Provided { provider, user_id, current } => (provider, user_id, current),
        };
        loop {
            let Some(held) = current.get() else { break };
            // A provider that failed has told all who waited for it.
            let token = JsFuture::from(held.clone()).await.map_err(provider_failed)?.as_string();
            match token {
                Some(token) if refresh != Some(token.as_str()) => return Ok(token),
                // Nobody has replaced the refused token meanwhile, so we do.
                _ if current.get().is_some_and(|now| JsValue::from(now) == **held) => break,
                _ => {}
            }
        }
        let called = provider.call0(&JsValue::UNDEFINED).map_err(provider_failed)?;
        // A provider that is not async may return the token itself.
        let promise = Promise::resolve(&called);
        current.set(Some(promise.clone()));
        let token = match JsFuture::from(promise).await {
            Ok(token) => token
                .as_string()
                .ok_or_else(|| error::invalid(&["connectUser: the token provider must return a promise of a string"])),
            Err(thrown) => Err(provider_failed(thrown)),
        };
        match token.and_then(|token| check_owner(&token, user_id).map(|()| token)) {
            Ok(token) => Ok(token),
            Err(problem) => {
                current.take();
                Err(problem)
            }
        }
    }
}

fn provider_failed(thrown: JsValue) -> JsValue {
    let reason = wire::get(&thrown, "message").as_string().unwrap_or_default();
    let problem = error::error(Code::TokenProvider, &["the token provider failed: ", &reason, " (see `cause`)"]);
    wire::set(&problem, "cause", &thrown);
    problem
}

/// Saves a round trip when an app has mixed up its users. What cannot be read here is left for
/// the server to refuse.
fn check_owner(token: &str, user_id: &str) -> Result<(), JsValue> {
    let Some(owner) = owner(token) else { return Ok(()) };
    if owner == user_id {
        return Ok(());
    }
    Err(error::error(
        Code::TokenMismatch,
        &["connectUser: the token is for user `", &owner, "`, but the user's id is `", user_id, "`"],
    ))
}

fn owner(token: &str) -> Option<String> {
    let mut payload = String::new();
    let mut dots = 0;
    for byte in token.bytes() {
        match byte {
            b'.' => dots += 1,
            _ if dots != 1 => {}
            b'-' => payload.push('+'),
            b'_' => payload.push('/'),
            other => payload.push(char::from(other)),
        }
    }
    let claims = wire::parse(&atob(&payload).ok()?.into()).ok()?;
    wire::get(&claims, "user_id").as_string()
}

/// A token that only servers with development tokens accept.
pub(super) fn development(user_id: &str) -> Result<JsValue, JsValue> {
    // The characters of an id never make `+` or `/`, which addresses write otherwise.
    let payload = btoa(&wire::concat(&[r#"{"user_id":""#, user_id, r#""}"#]))?;
    // `{"alg":"HS256","typ":"JWT"}`
    let parts = ["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.", wire::without_end(&payload, "="), ".devtoken"];
    Ok(wire::concat(&parts).into())
}
