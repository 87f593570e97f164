//! What a client says when it connects. Each SDK puts it somewhere else.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::{Query, Request};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use rollcall_protocol::{extension, limits};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::auth::Credentials;
use crate::error::ApiError;
use crate::hub::Origin;
use crate::profile::fields;
use crate::store::UserChange;

/// A connect request, read but not yet believed.
pub struct Handshake {
    query: HashMap<String, String>,
    authorization: Option<String>,
    auth_type: Option<String>,
    payload: Result<Payload, String>,
    pub extensions: Extensions,
    pub origin: Origin,
    /// Error frames carry a `type`.
    pub typed_errors: bool,
}

/// What the client asked for beyond the protocol, and we grant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extensions {
    /// Several events in one frame.
    pub batch: Option<Batch>,
    /// More users in one answer.
    pub pages: bool,
    /// Presence events with their reasons.
    pub reason: bool,
    /// Word of when what is shown of others may be wrong.
    pub doubt: bool,
}

/// How a client wants its batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// How long events may wait for one another, where the client says so.
    pub window: Option<Duration>,
}

impl Batch {
    /// Reads `batch` or `batch:100`, in milliseconds. A window that is none is passed over, as an
    /// extension is that nobody knows.
    fn read(asked: &str) -> Option<Self> {
        let window = match asked.strip_prefix(extension::BATCH)? {
            "" => None,
            given => {
                let milliseconds: u64 = given.strip_prefix(':')?.parse().ok()?;
                Some(Duration::from_millis(milliseconds.min(limits::BATCH_WINDOW)))
            }
        };
        Some(Self { window })
    }
}

impl Extensions {
    fn asked_for(names: &str) -> Self {
        let names = || names.split(',').map(str::trim);
        let asked = |extension| names().any(|name| name == extension);
        Self {
            batch: names().find_map(Batch::read),
            pages: asked(extension::PAGES),
            reason: asked(extension::REASON),
            doubt: asked(extension::DOUBT),
        }
    }

    /// What the first frame says.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (self.batch.is_some(), extension::BATCH),
            (self.pages, extension::PAGES),
            (self.reason, extension::REASON),
            (self.doubt, extension::DOUBT),
        ];
        all.into_iter().filter(|(granted, _)| *granted).map(|(_, name)| name)
    }
}

/// The `json` parameter.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    user_id: Option<String>,
    user_details: Option<Map<String, Value>>,
    user_token: Option<String>,
    #[serde(rename = "X-Stream-Client")]
    client: Option<String>,
}

impl Handshake {
    pub fn read(request: &Request) -> Self {
        let query: HashMap<String, String> =
            Query::try_from_uri(request.uri()).map(|Query(query)| query).unwrap_or_default();
        let payload = match query.get("json") {
            Some(json) => serde_json::from_str(json).map_err(|error| error.to_string()),
            None => Ok(Payload::default()),
        };
        let headers = request.headers();
        let client = query
            .get("X-Stream-Client")
            .cloned()
            .or_else(|| text(headers, "x-stream-client"))
            .or_else(|| payload.as_ref().ok().and_then(|p: &Payload| p.client.clone()));
        let extensions =
            query.get(extension::PARAMETER).map_or_else(Extensions::default, |names| Extensions::asked_for(names));
        Self {
            authorization: text(headers, AUTHORIZATION.as_str()),
            auth_type: text(headers, "stream-auth-type"),
            extensions,
            origin: Origin {
                hears_doubt: extensions.doubt,
                ..Origin::new(client.as_deref(), headers.get(USER_AGENT).and_then(|value| value.to_str().ok()))
            },
            // The Unreal SDK takes a frame with a `type` for an event, and misses the error.
            typed_errors: !client.is_some_and(|name| name.to_ascii_lowercase().contains("unreal")),
            payload,
            query,
        }
    }

    pub fn credentials(&self) -> Credentials<'_> {
        let payload = self.payload.as_ref().ok();
        let query = |name| self.query.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let auth_type = query("stream-auth-type").or(self.auth_type.as_deref());
        Credentials {
            api_key: query("api_key"),
            token: query("authorization")
                .or(self.authorization.as_deref())
                .or(payload.and_then(|p| p.user_token.as_deref())),
            auth_type,
            user_id: payload.and_then(|p| p.user_id.as_deref().or(details_id(p))).or(query("user_id")),
        }
    }

    /// What the client says about user `id`, whom its token names. What a client may not write
    /// of itself is left out: SDKs echo whole users.
    pub fn profile(&self, id: &str) -> Result<UserChange, ApiError> {
        let payload = self.payload.as_ref();
        let payload = payload.map_err(|error| ApiError::input(format!("json is malformed: {error}")))?;
        let mut details = payload.user_details.clone().unwrap_or_default();
        if details.get("id").is_some_and(|other| other.as_str() != Some(id)) {
            return Err(ApiError::input("user_details.id is not the user_id of the token"));
        }
        details.insert("id".to_owned(), id.into());
        details.remove("role");
        details.remove("teams");
        fields::from_user(details)
    }
}

fn details_id(payload: &Payload) -> Option<&str> {
    payload.user_details.as_ref()?.get("id")?.as_str()
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_says_how_long_events_may_wait_and_not_longer_than_a_second() {
        let window = |asked| Extensions::asked_for(asked).batch.map(|batch| batch.window);
        let milliseconds = |count| Some(Some(Duration::from_millis(count)));
        assert_eq!(window("batch,pages"), Some(None));
        assert_eq!(window("pages,batch:100"), milliseconds(100));
        assert_eq!(window("batch:0"), milliseconds(0));
        assert_eq!(window("batch:18446744073709551615"), milliseconds(1_000));
        for none in ["", "batches", "batch:", "batch:-1", "batch:1.5", "batch:18446744073709551616", "batch=1"] {
            assert_eq!(window(none), None, "{none}");
        }
    }
}
