//! Whatever is sent, the server answers, and answers the next one.

use crate::common::document::table;
use crate::common::{KEY, TestServer, WITHOUT_LIMITS, token};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Every endpoint of the table, with the names of what exists in its path. What is deleted is
/// something else: the requests that follow need the rest.
fn endpoints() -> Vec<(String, String)> {
    let rows = table("Endpoints").into_iter().filter(|row| row[1] != "left out");
    let endpoints = rows.map(|row| {
        let (method, path) = row[0].split_once(' ').unwrap();
        let path = match (method, path) {
            ("DELETE", "/channels/{type}/{id}") => "/channels/messaging/nonsense".to_owned(),
            ("DELETE", "/users/{id}") => "/users/nonsense".to_owned(),
            (_, "/users/{id}/event") => "/users/ada/event".to_owned(),
            (_, path) => path
                .replace("/users/{id}", "/users/bob")
                .replace("/channels/{type}/{id}", "/channels/messaging/tea")
                .replace("{type}", "messaging")
                .replace("{user_id}", "ada")
                .replace("{id}", "nonsense"),
        };
        (method.to_owned(), path)
    });
    // A socket is not asked with JSON.
    endpoints.filter(|(_, path)| path != "/connect").collect()
}

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
fn body(endpoint: &str) -> impl Strategy<Value = Value> + use<> {
    let skeleton = match endpoint {
        "/users" => "users",
        "/channels" | "/members" => "filter_conditions",
        "/guest" => "user",
        "/longpoll" => "user_details",
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
    method: String,
    path: String,
    body: Value,
    server_side: bool,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    prop::sample::select(endpoints()).prop_flat_map(|(method, path)| {
        let random = (body(&path), any::<bool>());
        random.prop_map(move |(body, server_side)| Attempt {
            method: method.clone(),
            path: path.clone(),
            body,
            server_side,
        })
    })
}

#[test]
fn random_json_never_breaks_an_endpoint() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, ada) = runtime.block_on(async {
        let server = TestServer::with(&WITHOUT_LIMITS).await;
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
        let mut query = vec![("api_key", KEY.to_owned())];
        let method = Method::from_bytes(attempt.method.as_bytes()).unwrap();
        // With one it is a poll, which says nothing more.
        if attempt.path != "/longpoll" {
            query.push(("connection_id", connection.to_owned()));
        }
        if method == Method::GET {
            let name = if attempt.path == "/longpoll" { "json" } else { "payload" };
            query.push((name, attempt.body.to_string()));
        }
        let url = reqwest::Url::parse_with_params(&server.url(&attempt.path), query).unwrap();
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
