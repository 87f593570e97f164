//! What a caller is told when a request cannot be served: one type for HTTP and for the socket.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use rollcall_protocol::{ErrorCode, event};
use serde::Serialize;
use serde_json::Value;

use crate::hub::{TooManyConnections, Unreachable};
use crate::query::QueryError;
use crate::store::StoreError;

const MORE_INFO: &str = "https://getstream.io/chat/docs/api_errors_response";
/// Who is told to come back is told to do so within so many seconds.
const SPREAD: u32 = 8;

/// An error of the protocol: a code every SDK knows and a message that says what to do.
///
/// The message is shown to the caller, so it never holds a secret, a token or an SQL text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    code: ErrorCode,
    message: String,
    retry_after: Option<u32>,
}

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    /// The request is malformed (code 4, status 400).
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InputInvalid, message)
    }

    /// What the request names does not exist (code 16, status 404).
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotFound, message)
    }

    /// Too much is asked of the server just now (code 9, status 429): the same may work after so
    /// many seconds.
    pub fn rate_limited(message: impl Into<String>, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(ErrorCode::RateLimited, message) }
    }

    /// The server takes no more just now (code 9, status 429).
    pub fn busy() -> Self {
        Self::temporary(ErrorCode::RateLimited, "the server is busy")
    }

    /// The user is no more (code 16, status 404).
    pub fn deleted(user: &str) -> Self {
        Self::not_found(format!("user {user:?} was deleted"))
    }

    /// The caller may not do this (code 17, status 403).
    pub fn not_allowed(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::NotAllowed, message)
    }

    /// The server cannot do it just now, and the same may work later. The message says when to come
    /// back: one caller a second after the other, so that they do not all do so at once.
    pub fn temporary(code: ErrorCode, message: &str) -> Self {
        static TOLD: AtomicU32 = AtomicU32::new(0);
        let seconds = 1 + TOLD.fetch_add(1, Ordering::Relaxed) % SPREAD;
        let message = format!("{message}: {}", retry_after(seconds));
        Self { retry_after: Some(seconds), ..Self::new(code, message) }
    }

    /// The server failed (code -1, status 500). The cause goes to the log, not to the caller.
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "request failed");
        Self::temporary(ErrorCode::Internal, "the server failed")
    }

    /// Says which endpoint failed, in the words the hosted service uses.
    pub fn within(self, endpoint: &str) -> Self {
        Self { message: format!("{endpoint} failed with error: \"{}\"", self.message), ..self }
    }

    pub fn code(&self) -> ErrorCode {
        self.code
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    /// After how many seconds to try again, where the server knows.
    pub fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }

    /// The error as a JSON object: the body of an HTTP reply, and the `error` of a refused
    /// connection. `duration` is how long the request took, such as `1.23ms`.
    pub fn to_json(&self, duration: &str) -> Value {
        let body = Body {
            code: self.code.number(),
            message: &self.message,
            status_code: self.code.status(),
            duration,
            more_info: MORE_INFO,
            details: [],
            exception_fields: Empty {},
        };
        serde_json::to_value(body).unwrap_or_default()
    }

    /// The one text frame a refused WebSocket gets before it is closed with 1000.
    ///
    /// `created_at` is RFC 3339. The Unreal SDK recognises an error only when `type` is absent,
    /// every other one either needs `type` or does not mind it: `typed` says which to write.
    pub fn to_frame(&self, created_at: &str, typed: bool) -> Value {
        let mut frame = serde_json::json!({
            "created_at": created_at,
            "connection_id": "",
            "error": self.to_json("0.00ms"),
        });
        if typed {
            frame["type"] = event::CONNECTION_ERROR.into();
        }
        frame
    }
}

impl From<TooManyConnections> for ApiError {
    fn from(error: TooManyConnections) -> Self {
        match error {
            TooManyConnections::OfUser(_) => Self::new(ErrorCode::TooManyConnections, error.to_string()),
            TooManyConnections::InAll(_) => Self::busy(),
        }
    }
}

impl From<Unreachable> for ApiError {
    fn from(error: Unreachable) -> Self {
        // Every SDK takes this for something that may work a moment later.
        Self::new(ErrorCode::RequestTimeout, error.to_string())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { .. } | StoreError::Deleted { .. } => Self::not_found(error.to_string()),
            StoreError::AlreadyExists { .. } | StoreError::Invalid { .. } => Self::input(error.to_string()),
            StoreError::TooSlow => Self::new(ErrorCode::RequestTimeout, error.to_string()),
            StoreError::Unavailable(_) => {
                tracing::error!(%error, "request failed");
                Self::temporary(ErrorCode::Internal, "the database cannot be reached")
            }
            StoreError::Database(_) | StoreError::Newer(_) | StoreError::InUse(_) => Self::internal(&error),
        }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        Self::input(error.to_string())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code.number())
    }
}

impl std::error::Error for ApiError {}

/// When to come back, as the reason of a close says it, to programs and to people alike.
pub fn retry_after(seconds: u32) -> String {
    format!("retry after {seconds} s")
}

#[derive(Serialize)]
struct Body<'a> {
    code: i32,
    message: &'a str,
    #[serde(rename = "StatusCode")]
    status_code: u16,
    duration: &'a str,
    more_info: &'a str,
    details: [i32; 0],
    exception_fields: Empty,
}

#[derive(Serialize)]
struct Empty {}
