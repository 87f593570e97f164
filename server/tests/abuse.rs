//! Whatever is sent, the server answers, and answers the next one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::{TestServer, token};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Every endpoint, with the names of what exists in its path.
const ENDPOINTS: &[(&str, &str)] = &[
    ("POST", "/users"),
    ("PATCH", "/users"),
    ("GET", "/users"),
    ("POST", "/users/delete"),
    ("POST", "/users/restore"),
    ("POST", "/users/deactivate"),
    ("POST", "/users/reactivate"),
    ("DELETE", "/users/bob"),
    ("POST", "/users/bob/deactivate"),
    ("POST", "/users/bob/reactivate"),
    ("POST", "/users/ada/event"),
    ("POST", "/guest"),
    ("POST", "/channels"),
    ("GET", "/channels"),
    ("POST", "/channels/delete"),
    ("POST", "/channels/read"),
    ("POST", "/channels/messaging/query"),
    ("POST", "/channels/messaging/tea"),
    ("PATCH", "/channels/messaging/tea"),
    ("POST", "/channels/messaging/tea/query"),
    ("POST", "/channels/messaging/tea/stop-watching"),
    ("POST", "/channels/messaging/tea/hide"),
    ("POST", "/channels/messaging/tea/show"),
    ("POST", "/channels/messaging/tea/message"),
    ("POST", "/channels/messaging/tea/event"),
    ("POST", "/channels/messaging/tea/read"),
    ("PATCH", "/channels/messaging/tea/member"),
    ("PATCH", "/channels/messaging/tea/member/ada"),
    ("GET", "/members"),
    ("GET", "/unread"),
    ("POST", "/sync"),
    ("GET", "/app"),
    ("PATCH", "/app"),
    ("GET", "/channeltypes"),
    ("GET", "/rate_limits"),
    ("GET", "/tasks/nonsense"),
    ("GET", "/channeltypes/messaging"),
    ("GET", "/longpoll"),
    ("GET", "/hi"),
    ("DELETE", "/channels/messaging/nonsense"),
];

/// The words of the protocol: with them random requests get past the first check.
const WORDS: &[&str] = &[
    "$and",
    "$autocomplete",
    "$contains",
    "$eq",
    "$exists",
    "$gt",
    "$in",
    "$nor",
    "$or",
    "$q",
    "accept_invite",
    "ada",
    "add_members",
    "assign_roles",
    "attachments",
    "bob",
    "channel_cids",
    "channel_role",
    "cid",
    "cids",
    "color",
    "created_at",
    "created_by_id",
    "custom",
    "data",
    "direction",
    "event",
    "field",
    "filter_conditions",
    "frozen",
    "id",
    "id_gt",
    "id_lt",
    "invisible",
    "invites",
    "last_active",
    "last_sync_at",
    "limit",
    "member_limit",
    "members",
    "message",
    "message_id",
    "message_limit",
    "messages",
    "messaging",
    "messaging:tea",
    "name",
    "offset",
    "parent_id",
    "presence",
    "privacy_settings",
    "remove_members",
    "role",
    "set",
    "sort",
    "state",
    "status",
    "tea",
    "teams",
    "text",
    "type",
    "typing.start",
    "unset",
    "user",
    "user_id",
    "user_ids",
    "users",
    "watch",
    "watchers",
    "2026-01-01T00:00:00Z",
    "a.b.c",
    "",
    ".",
    "\u{0}",
    "'; --",
    "%",
    "\\",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![9 => prop::sample::select(WORDS).prop_map(str::to_owned), 1 => ".{0,12}"]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![Just(0i64), Just(1), Just(-1), Just(i64::MAX), any::<i64>()].prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((word(), inner), 0..6)
                .prop_map(|fields| Value::from(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A request of the right shape with something wild in it, or something wild altogether.
fn body(endpoint: &'static str) -> impl Strategy<Value = Value> {
    let skeleton = match endpoint {
        "/users" => "users",
        "/channels" | "/members" => "filter_conditions",
        "/guest" => "user",
        path if path.ends_with("/query") => "data",
        path if path.ends_with("/message") => "message",
        path if path.ends_with("/event") => "event",
        path if path.ends_with("/member") || path.ends_with("/tea") => "set",
        _ => "user_ids",
    };
    (json_value(), json_value()).prop_map(move |(wild, mut rest)| match &mut rest {
        Value::Object(fields) => {
            fields.insert(skeleton.to_owned(), wild);
            rest
        }
        _ => wild,
    })
}

#[derive(Clone, Debug)]
struct Attempt {
    method: &'static str,
    path: &'static str,
    body: Value,
    server_side: bool,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    prop::sample::select(ENDPOINTS).prop_flat_map(|(method, path)| {
        (body(path), any::<bool>()).prop_map(move |(body, server_side)| Attempt { method, path, body, server_side })
    })
}

#[test]
fn random_json_never_breaks_an_endpoint() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, ada) = runtime.block_on(async {
        let server = TestServer::with(&["--rate-limit-scale", "0", "--user-requests-per-minute", "0"]).await;
        let ada = server.connect("ada").await;
        server.connect("bob").await;
        let open = json!({ "data": { "members": ["ada", "bob"] }, "watch": true, "presence": true });
        ada.call(Method::POST, "/channels/messaging/tea/query", open).await;
        (server, ada)
    });
    // A hang is a failure that names its case.
    let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(10)).build().unwrap();
    let connection = ada.connection_id.as_str();
    let mut runner = TestRunner::new(Config { cases: 1000, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&attempt(), |attempt| {
        let claims = if attempt.server_side { json!({ "server": true }) } else { json!({ "user_id": "ada" }) };
        let mut query = vec![("api_key", common::KEY.to_owned()), ("connection_id", connection.to_owned())];
        let method = Method::from_bytes(attempt.method.as_bytes()).unwrap();
        if method == Method::GET {
            query.push(("payload", attempt.body.to_string()));
        }
        let url = reqwest::Url::parse_with_params(&server.url(attempt.path), query).unwrap();
        let request = client.request(method.clone(), url).header("authorization", token(claims));
        let request = if method == Method::GET { request } else { request.json(&attempt.body) };
        let (status, reply) = runtime.block_on(async {
            let response = request.send().await.unwrap();
            (response.status(), response.json::<Value>().await)
        });
        let reply = reply.map_err(|error| TestCaseError::fail(format!("{status} is not JSON: {error}")))?;
        prop_assert!(!status.is_server_error(), "{status} {reply}");
        prop_assert!(reply["duration"].is_string(), "{status} {reply}");
        Ok(())
    });
    outcome.unwrap();
    runtime.block_on(async { server.server_side(Method::GET, "/app", Value::Null).await });
}
