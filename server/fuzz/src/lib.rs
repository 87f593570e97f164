//! What reaches the server from outside, one function a way in. Each takes any bytes and panics
//! when something is true that must never be.

use std::cell::OnceCell;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use jiff::Timestamp;
use rollcall_server::auth::{Authenticator, Caller, Credentials};
use rollcall_server::connection::{frame as keep_alive, handshake::Handshake};
use rollcall_server::profile::fields;
use rollcall_server::query::{self, ChannelQuery, Filter, QueryError, Sort, UserQuery};
use rollcall_server::store::{self, Store, StoreError};
use serde_json::{Map, Value};
use tokio::runtime::{Builder, Runtime};

/// The one token that was ever signed with the secret of [`authenticator`]: Ada's.
const SIGNED: &str = include_str!("../corpus/token/signed");

/// A socket's address, with all that an SDK puts into it.
pub fn connect_url(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(request) = Request::builder().uri(format!("/connect?{text}")).body(Body::empty()) else { return };
    let handshake = Handshake::read(&request);
    let _ = authenticator().authenticate(&handshake.credentials(), Timestamp::UNIX_EPOCH);
    if let Ok(change) = handshake.profile("ada") {
        assert_eq!(change.id, "ada", "somebody else's profile");
    }
}

/// A text frame from a client.
pub fn frame(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    keep_alive::is_keep_alive(text);
}

/// A token: none that we did not sign lets anybody in.
pub fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let authenticator = authenticator();
    for auth_type in [None, Some("jwt")] {
        let credentials = Credentials { api_key: Some("key"), token: Some(text), auth_type, user_id: None };
        let Ok(admitted) = authenticator.authenticate(&credentials, Timestamp::UNIX_EPOCH) else { continue };
        let (ours, theirs) = (SIGNED.rsplit_once('.'), text.trim().trim_start_matches("Bearer ").rsplit_once('.'));
        assert_eq!(ours.map(|(said, _)| said), theirs.map(|(said, _)| said), "a token that we did not sign");
        assert_eq!(admitted.caller, Caller::User("ada".into()));
    }
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
    with_store(|runtime, store| {
        if let Ok(query) = users() {
            must_run(runtime.block_on(store.query_users(&query)));
        }
        if let Ok(query) = channels() {
            must_run(runtime.block_on(store.query_channels(&query)));
        }
    });
}

/// A user as a request writes one: what only the server says never gets through.
pub fn body(data: &[u8]) {
    let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(data) else { return };
    let removed: Vec<String> = fields.keys().cloned().collect();
    let _ = fields::from_partial("ada", fields.clone(), &removed);
    let Ok(change) = fields::from_user(fields) else { return };
    for name in ["online", "last_active", "created_at", "updated_at"] {
        let custom = format!("{:?}", change.custom);
        assert!(!custom.contains(&format!("{name:?}: ")), "{name} was written");
    }
}

fn authenticator() -> Authenticator {
    Authenticator::new("key", "a secret that only the server knows", false).unwrap_or_else(|error| panic!("{error}"))
}

fn must_run<T>(outcome: Result<T, StoreError>) {
    if let Err(error) = outcome
        && !matches!(error, StoreError::TooSlow)
    {
        panic!("a query that was read cannot be run: {error}");
    }
}

/// One empty database for all runs of a thread.
fn with_store(work: impl FnOnce(&Runtime, &dyn Store)) {
    thread_local! {
        static STORE: OnceCell<(Runtime, Arc<dyn Store>)> = const { OnceCell::new() };
    }
    STORE.with(|cell| {
        let (runtime, store) = cell.get_or_init(|| {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap_or_else(|error| panic!("{error}"));
            let store = runtime
                .block_on(store::open("sqlite::memory:", store::Limits::default()))
                .unwrap_or_else(|error| panic!("{error}"));
            (runtime, store)
        });
        work(runtime, &**store);
    });
}
