//! What goes wrong, as the JavaScript `Error` that an app catches.

use js_sys::Error;
use rollcall_protocol::{ErrorCode, Reaction, close};
use wasm_bindgen::JsValue;

use super::wire;
use crate::core::{ConnectError, Failure};

/// What an app finds in `error.code`.
#[derive(Clone, Copy)]
pub(super) enum Code {
    Protocol(i32),
    NotConnected,
    AlreadyConnected,
    InvalidArgument,
    TokenMismatch,
    TokenProvider,
    Disconnected,
    Timeout,
    Network,
    Aborted,
}

impl Code {
    fn to_js(self) -> JsValue {
        match self {
            Code::Protocol(number) => number.into(),
            Code::NotConnected => "not_connected".into(),
            Code::AlreadyConnected => "already_connected".into(),
            Code::InvalidArgument => "invalid_argument".into(),
            Code::TokenProvider => "token_provider".into(),
            Code::TokenMismatch => "token_mismatch".into(),
            Code::Disconnected => "disconnected".into(),
            Code::Timeout => "timeout".into(),
            Code::Network => "network".into(),
            Code::Aborted => "aborted".into(),
        }
    }

    fn is_retryable(self) -> bool {
        match self {
            Code::Protocol(number) => Reaction::to(number) == Reaction::Retry,
            Code::Timeout | Code::Network | Code::TokenProvider => true,
            _ => false,
        }
    }
}

/// A real `Error` with `code`, `status` and `retryable`; the message comes in pieces.
pub(super) fn error(code: Code, message: &[&str]) -> JsValue {
    with_status(code, None, &wire::concat(message))
}

fn with_status(code: Code, status: Option<u16>, message: &str) -> JsValue {
    let error = Error::new(message);
    error.set_name("PresenceError");
    wire::set(&error, "code", &code.to_js());
    wire::set(&error, "retryable", &code.is_retryable().into());
    if let Some(status) = status {
        wire::set(&error, "status", &status.into());
    }
    error.into()
}

/// The error that a server described, in a reply's body or in an error frame.
pub(super) fn from_server(body: &JsValue, http_status: Option<u16>) -> JsValue {
    let number = wire::get(body, "code").as_f64().map(|number| number as i32);
    let status = wire::get(body, "StatusCode").as_f64().map(|number| number as u16).or(http_status);
    let message = wire::get(body, "message").as_string();
    match number {
        Some(number) => with_status(Code::Protocol(number), status, &message.unwrap_or_default()),
        // Not the protocol's shape: a proxy answered, or this is no presence server.
        None => {
            let said =
                status.map_or_else(String::new, |status| wire::concat(&[" with status ", &wire::number(status)]));
            let message = ["the server answered", &said, " and no error the protocol knows; check baseURL"];
            with_status(Code::Protocol(ErrorCode::Internal.number()), status, &wire::concat(&message))
        }
    }
}

pub(super) fn invalid(message: &[&str]) -> JsValue {
    error(Code::InvalidArgument, message)
}

pub(super) fn not_connected(call: &str) -> JsValue {
    error(Code::NotConnected, &[call, " needs a connected user: await client.connectUser(user, token) first"])
}

pub(super) fn disconnected() -> JsValue {
    error(Code::Disconnected, &["the client was disconnected by disconnectUser(); connect again to go on"])
}

/// Notes how many seconds the server asked to wait.
pub(super) fn set_retry_after(error: &JsValue, seconds: f64) {
    wire::set(error, "retryAfter", &seconds.into());
}

/// What the core needs to know of an error.
pub(super) fn failure(reason: JsValue) -> Failure<JsValue> {
    Failure {
        retryable: wire::get(&reason, "retryable").is_truthy(),
        retry_after: wire::get(&reason, "retryAfter").as_f64().map(|seconds| (seconds * 1000.0) as u64),
        reason,
    }
}

/// Why there is no connection.
pub(super) fn from_connect(reason: ConnectError<JsValue>) -> JsValue {
    match reason {
        ConnectError::Failed(reason) => reason,
        ConnectError::Closed(close::ABNORMAL) => {
            error(Code::Network, &["the server could not be reached; check baseURL and the network"])
        }
        ConnectError::Closed(code) => {
            error(Code::Network, &["the server closed the connection with code ", &wire::number(code)])
        }
        ConnectError::TimedOut => error(Code::Timeout, &["the server did not accept the connection in time"]),
        ConnectError::Disconnected => disconnected(),
    }
}
