//! What goes wrong.

use std::fmt;

use wasm_bindgen::prelude::*;

use super::page::JsError;

/// Why something failed, as the guide on troubleshooting lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// The protocol's number: the server said so.
    Server(i32),
    /// The client's own word.
    Client(String),
}

impl Code {
    pub const ABORTED: &str = "aborted";
    pub const ALREADY_CONNECTED: &str = "already_connected";
    pub const DISCONNECTED: &str = "disconnected";
    pub const INVALID_ARGUMENT: &str = "invalid_argument";
    pub const NETWORK: &str = "network";
    pub const NOT_CONNECTED: &str = "not_connected";
    pub const TIMEOUT: &str = "timeout";
    pub const TOKEN_MISMATCH: &str = "token_mismatch";
    pub const TOKEN_PROVIDER: &str = "token_provider";
}

impl PartialEq<i32> for Code {
    fn eq(&self, number: &i32) -> bool {
        matches!(self, Code::Server(code) if code == number)
    }
}

impl PartialEq<&str> for Code {
    fn eq(&self, word: &&str) -> bool {
        matches!(self, Code::Client(code) if code == word)
    }
}

/// What every call of this client fails with.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// What to do is decided by it.
    pub code: Code,
    /// The HTTP status, when a server answered.
    pub status: Option<u16>,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// For whoever wrote the call.
    pub message: String,
}

impl Error {
    pub(super) fn not_connected() -> Self {
        Self {
            code: Code::Client(Code::NOT_CONNECTED.to_owned()),
            status: None,
            retryable: false,
            message: "this needs a connected user: await connect_user(user, token) first".to_owned(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<JsValue> for Error {
    fn from(problem: JsValue) -> Self {
        let problem: JsError = problem.unchecked_into();
        let code = problem.code();
        Self {
            code: match code.as_f64() {
                Some(number) => Code::Server(number as i32),
                None => Code::Client(code.as_string().unwrap_or_default()),
            },
            status: problem.status(),
            retryable: problem.retryable().unwrap_or_default(),
            message: problem.message().unwrap_or_default(),
        }
    }
}
