//! What reaches the server from outside, one function a way in. Each takes any bytes and panics
//! when something is true that must never be.

mod instance;
mod socket;

use jiff::Timestamp;
use rollcall_server::auth::{Authenticator, Caller, Credentials};
use rollcall_server::profile::fields;
use rollcall_server::query::{self, ChannelQuery, Filter, QueryError, Sort, UserQuery};
use rollcall_server::store::{CustomChange, StoreError};
use serde_json::{Map, Value};

use instance::Instance;
const SECRET: &str = "a secret that only the server knows";
/// The one token that is signed with it, and in a corpus: Ada's.
const SIGNED: &str = include_str!("../corpus/token/signed");
/// The application's own, which no target is told.
const SERVER: &str =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzZXJ2ZXIiOnRydWV9.oACmfzFumc1xEjnBJGVnZqio5-sQCnFWgVZbYHF05QE";

/// A socket's address, with all that an SDK puts into it: nobody is let in but who is who they say.
pub fn connect_url(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else { return };
    if query.bytes().any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control()) {
        return;
    }
    let (head, after) = Instance::with(|server| server.converse(&upgrade(query), &[]));
    let status = std::str::from_utf8(&head).ok().and_then(|head| head.strip_prefix("HTTP/1.1 "));
    let Some(status) = status else { panic!("no answer: {}", String::from_utf8_lossy(&head)) };
    if !status.starts_with("101 ") {
        assert!(status.starts_with('4'), "{status}");
        return;
    }
    let mut texts = socket::texts(&after).into_iter();
    // Told to come back by the close alone.
    let Some(first) = texts.next() else { return };
    match &first["me"]["id"] {
        Value::Null => assert!(first["error"].is_object() && texts.next().is_none(), "{first}"),
        id => assert!(id == "ada" || id == "!anon", "let in: {first}"),
    }
    for said in texts {
        // Whoever asked for batches may get several events at once.
        let events = said.as_array().map_or(std::slice::from_ref(&said), Vec::as_slice);
        assert!(events.iter().all(|event| event["type"].is_string() && event.get("me").is_none()), "{said}");
    }
}

/// Whatever comes over a socket once it is open, byte by byte.
pub fn frame(data: &[u8]) {
    let greeting = "json=%7B%22user_id%22%3A%22ada%22%7D&authorization=";
    let request = upgrade(&format!("api_key=key&{greeting}{SIGNED}"));
    let (head, after) = Instance::with(|server| server.converse(&request, data));
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    for said in socket::texts(&after) {
        assert!(said["type"].is_string() && said["created_at"].is_string(), "{said}");
    }
}

fn upgrade(query: &str) -> Vec<u8> {
    format!(
        "GET /connect?{query} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    .into_bytes()
}

/// A token: none that we did not sign lets anybody in.
pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let authenticator = authenticator();
    for auth_type in [None, Some("jwt")] {
        let credentials = Credentials { api_key: Some("key"), token: Some(text), auth_type, user_id: None };
        let Ok(admitted) = authenticator.authenticate(&credentials, Timestamp::UNIX_EPOCH) else { continue };
        let (ours, theirs) = (SIGNED.rsplit_once('.'), bare(text).rsplit_once('.'));
        assert_eq!(ours.map(|(said, _)| said), theirs.map(|(said, _)| said), "a token that we did not sign");
        assert_eq!(admitted.caller, Caller::User("ada".into()));
    }
}

/// The token without what may stand before it.
fn bare(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("Bearer ").unwrap_or(text).trim_start()
}

/// A filter and a sort: whatever can be read can be run.
pub fn filter(data: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Value>(data) else { return };
    let (filter, sort) = (&json["filter"], &json["sort"]);
    let users = || -> Result<_, QueryError> {
        Ok(UserQuery {
            filter: Filter::parse(filter, &query::Limits::default())?,
            sort: Sort::parse(sort)?,
            ..UserQuery::default()
        })
    };
    let channels = || -> Result<_, QueryError> {
        let viewer = Some("ada".to_owned());
        Ok(ChannelQuery {
            filter: Filter::parse(filter, &query::Limits::default())?,
            sort: Sort::parse(sort)?,
            viewer,
            ..ChannelQuery::default()
        })
    };
    Instance::with(|server| {
        if let Ok(query) = users() {
            must_run(server.run(server.app.store.query_users(&query)));
        }
        if let Ok(query) = channels() {
            must_run(server.run(server.app.store.query_channels(&query)));
        }
    });
}

/// A user as a request writes one: what only the server says never gets through.
pub fn profile(data: &[u8]) {
    let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(data) else { return };
    let removed: Vec<String> = fields.keys().cloned().collect();
    let _ = fields::from_partial("ada", fields.clone(), &removed);
    let Ok(change) = fields::from_user(fields) else { return };
    for change in change.custom {
        let (CustomChange::Set(path, _) | CustomChange::Unset(path)) = change;
        let first = path.parts().next();
        assert!(
            !["online", "last_active", "created_at", "updated_at"].map(Some).contains(&first),
            "{first:?} was written"
        );
    }
}

/// A request: who asks (`server` or `ada`), the method and the path in the first line, the body in the
/// rest. `CONNECTION` stands for the id of Ada's connection. Whatever it is, the server has an answer.
pub fn body(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let Ok(line) = std::str::from_utf8(&data[..end]) else { return };
    let [who, method, path] = line.split(' ').collect::<Vec<_>>()[..] else { return };
    // A socket and a poll are more than one request, and what is served as text is for operators.
    if !path.starts_with('/')
        || ["/connect", "/longpoll", "/metrics", "/readyz"].iter().any(|other| path.contains(other))
    {
        return;
    }
    let token = if who == "server" { SERVER } else { SIGNED };
    let body = data.get(end + 1..).unwrap_or_default();
    Instance::with(|server| {
        let body = String::from_utf8_lossy(body).replace("CONNECTION", &server.connection());
        let path = path.replace("CONNECTION", &server.connection());
        let (status, answer) = server.ask(token, method, &path, body.into());
        if answer.is_null() {
            return;
        }
        assert!(answer["duration"].is_string(), "{line} answered {answer}");
        if !status.is_success() {
            assert!(status.is_client_error(), "{line} answered {status}: {answer}");
            assert_eq!(answer["StatusCode"], status.as_u16(), "{line}");
            assert!(answer["code"].is_i64() && answer["message"].is_string(), "{line} answered {answer}");
        }
    });
}

fn authenticator() -> Authenticator {
    Authenticator::new("key", SECRET, false).unwrap_or_else(|error| panic!("{error}"))
}

fn must_run<T>(outcome: Result<T, StoreError>) {
    if let Err(error) = outcome
        && !matches!(error, StoreError::TooSlow)
    {
        panic!("a query that was read cannot be run: {error}");
    }
}
