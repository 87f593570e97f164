//! Somebody who hides and somebody who left: nothing that others can see tells them apart.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::{Person, TestServer};
use reqwest::Method;
use serde_json::{Value, json};

/// `value` with the person's id and everything replaced that differs between any two people.
fn blurred(value: &Value, id: &str) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| *key != "duration")
            .map(|(key, value)| (key.replace(id, "someone"), blurred(value, id)))
            .collect(),
        Value::Array(items) => items.iter().map(|item| blurred(item, id)).collect(),
        Value::String(text) if text.parse::<jiff::Timestamp>().is_ok() => "a time".into(),
        Value::String(text) if text.len() == 36 && text.matches('-').count() == 4 => "an id".into(),
        Value::String(text) => text.replace(id, "someone").into(),
        other => other.clone(),
    }
}

/// The same life for both, up to the point where one leaves and the other hides.
async fn lives(server: &TestServer, id: &str) -> Person {
    let person = server.connect_as(json!({ "id": id, "name": id, "status": "Here" })).await;
    let open = json!({ "watch": true, "state": true, "presence": true, "data": { "members": ["zoe", id] } });
    person.call(Method::POST, &format!("/channels/messaging/{id}/query"), open).await;
    let message = json!({ "message": { "text": "Hello" } });
    person.call(Method::POST, &format!("/channels/messaging/{id}/message"), message).await;
    person
}

/// All that zoe can ask about somebody.
async fn asked(zoe: &Person, id: &str) -> Value {
    let by_id = json!({ "filter_conditions": { "id": id }, "presence": true });
    let by_status = json!({ "filter_conditions": { "status": "Here", "id": id }, "sort": [{ "field": "last_active", "direction": -1 }] });
    let active = json!({ "filter_conditions": { "id": id, "last_active": { "$gt": "2020-01-01T00:00:00Z" } } });
    let state = json!({ "state": true, "watch": true, "presence": true, "watchers": { "limit": 10 } });
    let channels =
        json!({ "filter_conditions": { "cid": format!("messaging:{id}") }, "watch": true, "presence": true });
    let message = json!({ "message": { "text": "Anybody there?" } });
    let channel = format!("/channels/messaging/{id}");
    let answers = json!([
        zoe.call(Method::GET, "/users", by_id).await,
        zoe.call(Method::GET, "/users", by_status).await,
        zoe.call(Method::GET, "/users", active).await,
        zoe.call(Method::POST, &format!("{channel}/query"), state).await,
        zoe.call(Method::POST, "/channels", channels).await,
        zoe.call(Method::POST, &format!("{channel}/message"), message).await,
    ]);
    blurred(&answers, id)
}

#[tokio::test]
async fn who_hides_looks_like_who_left() {
    let server = TestServer::start().await;
    server.knows(&["veiled", "absent"]).await;
    let mut zoe = server.connect("zoe").await;
    zoe.watch_users(&["veiled", "absent"]).await;

    let gone = lives(&server, "absent").await;
    asked(&zoe, "absent").await;
    gone.says_goodbye().await;
    let saw_gone = blurred(&json!(zoe.heard_so_far().await), "absent");

    let hidden = lives(&server, "veiled").await;
    asked(&zoe, "veiled").await;
    hidden.upsert(json!({ "invisible": true })).await;
    let saw_hidden = blurred(&json!(zoe.heard_so_far().await), "veiled");

    assert_eq!(saw_hidden, saw_gone, "events");
    assert_eq!(asked(&zoe, "veiled").await, asked(&zoe, "absent").await, "answers");

    // What they do while hidden: a second device, a reload, a look at the channel.
    let second = server.connect("veiled").await;
    let open = json!({ "watch": true, "state": true, "presence": true });
    second.call(Method::POST, "/channels/messaging/veiled/query", open).await;
    hidden.vanishes();
    second.says_goodbye().await;
    let third = server.connect("veiled").await;
    assert_eq!(third.me["invisible"], true);
    assert_eq!(zoe.heard_so_far().await, Vec::<Value>::new());
    assert_eq!(asked(&zoe, "veiled").await, asked(&zoe, "absent").await, "answers, later");
}

#[tokio::test]
async fn hiding_moves_no_time_that_others_see() {
    let server = TestServer::start().await;
    let hidden = server.connect("veiled").await;
    let mut zoe = server.connect("zoe").await;
    zoe.watch_users(&["veiled"]).await;
    hidden.upsert(json!({ "invisible": true })).await;
    zoe.sees_at_last(&("veiled".to_owned(), false)).await;
    let before = zoe.watch_users(&["veiled"]).await;
    let again = server.connect("veiled").await;
    again.upsert(json!({ "privacy_settings": { "read_receipts": { "enabled": false } } })).await;
    again.says_goodbye().await;
    let after = zoe.watch_users(&["veiled"]).await;
    assert_eq!(before, after);
}
