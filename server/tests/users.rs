//! What people say of themselves, and how they are found.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::{TestServer, token, user_token};
use reqwest::Method;
use serde_json::{Value, json};

fn ids(reply: &Value) -> Vec<&str> {
    reply["users"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_said_is_merged_and_what_is_not_said_is_kept() {
    let server = TestServer::start().await;
    let ada = server
        .connect_as(json!({ "id": "ada", "name": "Ada", "status": "here", "custom": { "color": "green" } }))
        .await;

    let user = ada.upsert(json!({ "status": "away" })).await;

    assert_eq!(user["name"], "Ada");
    assert_eq!(user["status"], "away");
    assert_eq!(user["color"], "green", "custom fields may come nested; they are shown at the root");
}

#[tokio::test]
async fn single_fields_are_set_and_removed_deep_inside() {
    let server = TestServer::start().await;
    let ada = server.connect_as(json!({ "id": "ada", "home": { "city": "London", "room": 12 } })).await;

    let change = json!({ "users": [{ "id": "ada", "set": { "home.city": "Paris" }, "unset": ["home.room", "name"] }] });
    let reply = ada.call(Method::PATCH, "/users", change).await;

    assert_eq!(reply["users"]["ada"]["home"], json!({ "city": "Paris" }));
    let (status, error) =
        ada.request(Method::PATCH, "/users", json!({ "users": [{ "id": "ada", "set": { "name.first": "A" } }] })).await;
    assert_eq!((status.as_u16(), &error["code"]), (400, &json!(4)), "{error}");
}

#[tokio::test]
async fn nobody_writes_for_somebody_else_or_raises_their_own_role() {
    let server = TestServer::start().await;
    let ada = server.connect("ada").await;
    server.connect("bob").await;

    for (method, body) in [
        (Method::POST, json!({ "users": { "bob": { "id": "bob", "name": "not Bob" } } })),
        (Method::PATCH, json!({ "users": [{ "id": "bob", "set": { "name": "not Bob" } }] })),
        (Method::POST, json!({ "users": { "ada": { "id": "ada", "role": "admin" } } })),
        (Method::PATCH, json!({ "users": [{ "id": "ada", "set": { "teams": ["red"] } }] })),
    ] {
        let (status, error) = ada.request(method, "/users", body).await;
        assert_eq!((status.as_u16(), &error["code"]), (403, &json!(17)), "{error}");
        assert!(error["message"].as_str().unwrap().contains("is not allowed to perform action"), "{error}");
    }
    let echo = ada.upsert(json!({ "role": "user", "teams": [], "online": false, "banned": true })).await;
    assert_eq!(echo["online"], true, "what SDKs echo back is passed over");
    assert_eq!(echo["banned"], false);
}

#[tokio::test]
async fn the_application_s_server_may_write_anything_of_anybody() {
    let server = TestServer::start().await;
    let users = json!({ "users": {
        "ada": { "id": "ada", "role": "admin", "teams": ["red"] },
        "bob": { "id": "bob", "invisible": true },
    } });

    let reply = server.server_side(Method::POST, "/users", users).await;

    assert_eq!(reply["users"]["ada"]["role"], "admin");
    assert_eq!(reply["users"]["bob"]["invisible"], true);
    assert_eq!(reply["users"]["bob"]["mutes"], json!([]));
}

#[tokio::test]
async fn a_batch_happens_whole_or_not_at_all() {
    let server = TestServer::start().await;
    let batch = json!({ "users": { "ada": { "id": "ada" }, "b b": { "id": "b b" } } });

    let (status, _) = server.request(&token(json!({ "server": true })), Method::POST, "/users", batch).await;

    assert_eq!(status, 400);
    let missing = json!({ "users": [{ "id": "ada", "set": { "a": 1 } }] });
    let (status, error) = server.request(&token(json!({ "server": true })), Method::PATCH, "/users", missing).await;
    assert_eq!((status.as_u16(), &error["code"]), (404, &json!(16)), "ada was never created");
}

#[tokio::test]
async fn people_are_found_sorted_and_paged() {
    let server = TestServer::start().await;
    let users: serde_json::Map<String, Value> = (1..=5)
        .map(|n| (format!("u{n}"), json!({ "id": format!("u{n}"), "level": n, "name": format!("Number {n}") })))
        .collect();
    server.server_side(Method::POST, "/users", json!({ "users": users })).await;
    let ada = server.connect_as(json!({ "id": "ada", "name": "Ada" })).await;

    let find = |query: Value| ada.call(Method::GET, "/users", query);
    let by_level = json!([{ "field": "level", "direction": -1 }]);
    let reply = find(json!({ "filter_conditions": { "level": { "$gte": 3 } }, "sort": by_level })).await;
    assert_eq!(ids(&reply), ["u5", "u4", "u3"]);
    let reply =
        find(json!({ "filter_conditions": { "level": { "$gt": 0 } }, "sort": by_level, "limit": 2, "offset": 2 }))
            .await;
    assert_eq!(ids(&reply), ["u3", "u2"]);
    let reply = find(json!({ "filter_conditions": { "name": { "$autocomplete": "numb" } }, "id_gt": "u3" })).await;
    assert_eq!(ids(&reply), ["u4", "u5"]);
    let reply = find(json!({ "filter_conditions": {}, "sort": [] })).await;
    assert_eq!(ids(&reply)[0], "ada", "the newest comes first");
}

#[tokio::test]
async fn a_query_that_cannot_be_answered_says_why() {
    let server = TestServer::start().await;
    let ada = server.connect("ada").await;

    for (query, reason) in [
        (json!({ "filter_conditions": { "id": 1 } }), r#"field "id" expects type string"#),
        (json!({ "filter_conditions": { "color": { "$ne": 1 } } }), "operator $ne is not supported for custom fields"),
        (json!({ "filter_conditions": { "invisible": true } }), "invisible"),
        (json!({ "sort": [{ "field": "invisible", "direction": 1 }] }), "invisible"),
        (json!({ "limit": 101 }), "limit"),
        (json!({ "offset": 1001 }), "offset"),
        (json!({ "limit": "many" }), "limit"),
        (json!({ "sort": vec![json!({ "field": "id", "direction": 1 }); 6] }), "sort"),
    ] {
        let (status, error) = ada.request(Method::GET, "/users", query).await;
        let message = error["message"].as_str().unwrap();
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!(4)), "{error}");
        assert!(message.starts_with("QueryUsers failed with error: \""), "{message}");
        assert!(message.contains(reason), "{message}");
    }
}

#[tokio::test]
async fn a_page_says_of_how_many_the_presence_is_left_out() {
    let server = TestServer::with(&["--subscriptions-per-connection", "2"]).await;
    server.knows(&["u1", "u2", "u3"]).await;
    let ada = server.connect("ada").await;
    let query = |id: &str| json!({ "filter_conditions": { "id": { "$gt": id } }, "presence": true });

    let all = ada.call(Method::GET, "/users", query("u")).await;
    assert_eq!((all["users"].as_array().unwrap().len(), &all["presence_omitted"]), (3, &json!(1)));
    let mut newest = ids(&all);
    newest.truncate(2);
    let subscribed = json!({ "filter_conditions": { "id": { "$in": newest } }, "presence": true });
    assert_eq!(ada.call(Method::GET, "/users", subscribed).await.get("presence_omitted"), None);
}

#[tokio::test]
async fn many_are_asked_for_by_id_and_followed_from_then_on() {
    let server = TestServer::start().await;
    server.knows(&["bob", "cyd", "dan"]).await;
    server.server_side(Method::DELETE, "/users/dan", Value::Null).await;
    let mut ada = server.connect("ada").await;

    let all = ada.call(Method::POST, "/rollcall/users", json!({ "ids": ["bob", "cyd", "dan", "nobody"] })).await;

    let mut shown = ids(&all);
    shown.sort_unstable();
    assert_eq!(shown, ["bob", "cyd"]);
    server.connect("bob").await;
    assert_eq!(ada.sees().await, ("bob".to_owned(), true));
    let too_many: Vec<String> = (0..1001).map(|number| format!("user-{number}")).collect();
    let (status, error) = ada.request(Method::POST, "/rollcall/users", json!({ "ids": too_many })).await;
    assert_eq!((status.as_u16(), &error["code"]), (400, &json!(4)));
    assert!(error["message"].as_str().unwrap().contains("at most 1000 users"), "{error}");
}

#[tokio::test]
async fn presence_needs_a_connection_of_one_s_own() {
    let server = TestServer::start().await;
    let ada = server.connect("ada").await;
    let query = |connection: &str| {
        let payload = json!({ "filter_conditions": {}, "presence": true }).to_string();
        let url =
            reqwest::Url::parse_with_params("http://x/users", [("payload", &*payload), ("connection_id", connection)]);
        let url = url.unwrap();
        format!("/users?{}", url.query().unwrap())
    };

    for connection in ["", "nonsense", &ada.connection_id] {
        let (status, error) = server.request(&user_token("bob"), Method::GET, &query(connection), Value::Null).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!(4)));
        assert!(error["message"].as_str().unwrap().contains("active websocket connection"), "{error}");
    }
    let (status, _) = server.request(&user_token("ada"), Method::GET, &query(&ada.connection_id), Value::Null).await;
    assert_eq!(status, 200);
}
