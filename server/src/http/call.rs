//! One request as an endpoint sees it: who calls, and the JSON it brought.

use std::collections::HashMap;

use axum::http::Uri;
use axum::{
    body,
    extract::{FromRequest, Query, Request},
};
use rollcall_protocol::{ErrorCode, limits};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::flag::Flag;
use crate::{auth::Caller, config::Limits, error::ApiError, state::AppState};

/// A request after authentication: its caller, query and JSON.
///
/// The SDKs put the same things in different places: parameters come as body, as the query's
/// `payload` or as the query itself; `connection_id` in any of them. Here they are in one.
pub struct Call {
    pub caller: Caller,
    query: HashMap<String, String>,
    input: Map<String, Value>,
}

impl Call {
    /// The body, or for requests without one the query's `payload`. Unknown fields are ignored,
    /// and `null` is as good as absent: several SDKs write out what they were not given.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let given = self.input.iter().filter(|(_, value)| !value.is_null());
        // Read where it is: a megabyte of small fields is thirty in memory, and need not be there twice.
        let given: MapDeserializer<'_, _, serde_json::Error> =
            MapDeserializer::new(given.map(|(name, value)| (name.as_str(), value)));
        serde_path_to_error::deserialize(given).map_err(|error| {
            let path = error.path().to_string();
            ApiError::input(match path.as_str() {
                "." => error.into_inner().to_string(),
                _ => format!("field {path:?}: {}", error.into_inner()),
            })
        })
    }

    /// What [`input`](Self::input) reads, as it came.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.input
    }

    /// The connection that the request belongs to, if it names one.
    pub fn connection_id(&self) -> Option<&str> {
        let in_query = self.parameter("connection_id").filter(|id| !id.is_empty());
        in_query.or_else(|| self.input.get("connection_id")?.as_str().filter(|id| !id.is_empty()))
    }

    /// A query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// A boolean query parameter; false when it is absent.
    pub fn flag(&self, name: &str) -> Result<bool, ApiError> {
        let Some(text) = self.query.get(name) else {
            return Ok(false);
        };
        Flag::parse(text).map(|flag| flag.0).ok_or_else(|| ApiError::input(format!("field {name:?} expects a boolean")))
    }

    /// The user the request is made for: the caller, or whom a server-side caller names as
    /// `user_id` or `user.id`.
    pub fn acting_user(&self) -> Option<&str> {
        match &self.caller {
            Caller::User(id) => Some(id),
            Caller::Server => self
                .input
                .get("user_id")
                .or_else(|| self.input.get("user").and_then(|user| user.get("id")))
                .and_then(Value::as_str)
                .or_else(|| self.parameter("user_id"))
                .filter(|id| !id.is_empty()),
            Caller::Anonymous => None,
        }
    }

    /// Like [`acting_user`](Self::acting_user), for what cannot be done without a user.
    pub fn require_user(&self) -> Result<&str, ApiError> {
        self.acting_user().ok_or_else(|| match self.caller {
            Caller::Server => ApiError::input("either user or user_id must be provided when using server side auth."),
            _ => ApiError::not_allowed("anonymous users are not allowed to do this"),
        })
    }

    /// Who says something: for a server-side caller whom the message or event itself names, if it
    /// does.
    pub fn author(&self, named: Author) -> Result<String, ApiError> {
        match (&self.caller, named.user_id.or(named.user.map(|user| user.id))) {
            (Caller::Server, Some(id)) => Ok(id),
            _ => self.require_user().map(str::to_owned),
        }
    }

    /// Refuses everyone but a server-side caller.
    pub fn require_server(&self) -> Result<(), ApiError> {
        match self.caller {
            Caller::Server => Ok(()),
            _ => {
                let message = "this takes a server-side token, one with the claim \"server\": true";
                Err(ApiError::new(ErrorCode::AuthenticationFailed, message))
            }
        }
    }
}

/// The fields with which a server-side caller names the author of a message or event.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Author {
    user_id: Option<String>,
    user: Option<AuthorUser>,
}

#[derive(Deserialize)]
struct AuthorUser {
    id: String,
}

impl FromRequest<AppState> for Call {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, app: &AppState) -> Result<Self, ApiError> {
        let caller = request.extensions_mut().remove::<Caller>().unwrap_or(Caller::Anonymous);
        let query = query(request.uri())?;
        let Limits { body_bytes: most, body_timeout, .. } = app.config.limits;
        let Ok(read) = timeout(body_timeout, body::to_bytes(request.into_body(), most)).await else {
            return Err(ApiError::new(ErrorCode::RequestTimeout, "the body takes too long to arrive"));
        };
        let bytes = read.map_err(|_| {
            ApiError::new(ErrorCode::PayloadTooBig, format!("the body is larger than {most} bytes, or was cut off"))
        })?;
        let input = if !bytes.is_empty() {
            object("the body", &bytes)?
        } else if let Some(payload) = query.get("payload") {
            object("payload", payload.as_bytes())?
        } else {
            Map::new()
        };
        Ok(Self { caller, query, input })
    }
}

/// The request's query; a parameter given twice counts once, the last time.
pub fn query(uri: &Uri) -> Result<HashMap<String, String>, ApiError> {
    Query::try_from_uri(uri)
        .map(|Query(query)| query)
        .map_err(|_| ApiError::input("the query is not URL-encoded UTF-8"))
}

/// Checks how many rows a request skips.
pub fn offset(offset: usize) -> Result<u32, ApiError> {
    match offset <= limits::MAX_OFFSET {
        true => Ok(offset as u32),
        false => Err(ApiError::input(format!("offset must be at most {}", limits::MAX_OFFSET))),
    }
}

fn object(what: &str, bytes: &[u8]) -> Result<Map<String, Value>, ApiError> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(ApiError::input(format!("{what} must be a JSON object"))),
        Err(error) => Err(ApiError::input(format!("{what} is not JSON: {error}"))),
    }
}
