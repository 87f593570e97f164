//! How users end and come back, and who hears of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::person::{next_frame, open};
use common::{TestServer, token, user_token};
use reqwest::Method;
use serde_json::{Value, json};

/// The code with which somebody with this token is refused over HTTP.
async fn refused(server: &TestServer, token: &str) -> i64 {
    let (status, error) = server.request(token, Method::GET, "/users", Value::Null).await;
    assert!(!status.is_success(), "{error}");
    error["code"].as_i64().unwrap()
}

#[tokio::test]
async fn a_deleted_user_is_gone_at_once_and_can_be_restored() {
    let server = TestServer::start().await;
    let (mut ada, bob) = (server.connect("ada").await, server.connect("bob").await);
    ada.watch_users(&["bob"]).await;

    let reply = server.server_side(Method::DELETE, "/users/bob?mark_messages_deleted=true", Value::Null).await;

    assert!(reply["user"]["deleted_at"].is_string());
    let event = ada.hears("user.deleted").await;
    assert_eq!((&event["user"]["id"], &event["mark_messages_deleted"]), (&json!("bob"), &json!(true)));
    assert!(event.get("cid").is_none());
    assert!(bob.hears_close().await.is_some());
    assert_eq!(refused(&server, &user_token("bob")).await, 16);
    assert_eq!(ada.watch_users(&["bob"]).await, Vec::<Value>::new());

    server.server_side(Method::POST, "/users/restore", json!({ "user_ids": ["bob"] })).await;
    server.connect("bob").await;
    assert_eq!(ada.watch_users(&["bob"]).await.len(), 1);
}

#[tokio::test]
async fn whoever_is_erased_leaves_the_list_of_those_who_watch() {
    let server = TestServer::start().await;
    let (ada, mut bob) = (server.connect("ada").await, server.connect("bob").await);
    for person in [&bob, &ada] {
        person.call(Method::POST, "/channels/livestream/show/query", json!({ "watch": true })).await;
    }
    server.server_side(Method::DELETE, "/users/ada?hard_delete=true", Value::Null).await;
    let event = bob.hears("user.watching.stop").await;
    assert_eq!((&event["user"]["id"], &event["watcher_count"]), (&json!("ada"), &json!(1)));
}

#[tokio::test]
async fn a_deactivated_user_may_not_connect_until_reactivated() {
    let server = TestServer::start().await;
    let bob = server.connect("bob").await;

    let reply = server.server_side(Method::POST, "/users/bob/deactivate", json!({})).await;

    assert!(reply["user"]["deactivated_at"].is_string());
    assert!(bob.hears_close().await.is_some());
    assert_eq!(refused(&server, &user_token("bob")).await, 5);
    let reply = server.server_side(Method::POST, "/users/bob/reactivate", json!({ "name": "Bob again" })).await;
    assert_eq!(reply["user"]["name"], "Bob again");
    server.connect("bob").await;
}

#[tokio::test]
async fn many_at_once_are_a_task_that_tells_what_came_of_each() {
    let server = TestServer::start().await;
    server.connect("bob").await;

    let body = json!({ "user_ids": ["bob", "nobody"], "user": "hard" });
    let reply = server.server_side(Method::POST, "/users/delete", body).await;
    let id = reply["task_id"].as_str().unwrap();
    assert_eq!(id.len(), 36);
    let task = server.server_side(Method::GET, &format!("/tasks/{id}"), Value::Null).await;

    assert_eq!(task["status"], "completed");
    assert_eq!(task["result"]["bob"], json!({ "status": "ok" }));
    assert_eq!(task["result"]["nobody"]["status"], "failed");
}

#[tokio::test]
async fn nobody_waits_for_the_end_of_somebody_s_conversations() {
    let server = TestServer::start().await;
    server.knows(&["ada"]).await;
    let mut bob = server.connect("bob").await;
    for number in 0..60 {
        let open = json!({ "data": { "members": ["ada", "bob"], "created_by_id": "ada" } });
        server.server_side(Method::POST, &format!("/channels/messaging/tea-{number}/query"), open).await;
    }
    let delete = server.server_side(Method::DELETE, "/users/ada?delete_conversation_channels=true", Value::Null);
    // Her own profile, and those of all whose lock is the same.
    let write = async {
        bob.hears("notification.channel_deleted").await;
        let change = json!({ "users": [{ "id": "ada", "set": { "status": "on my way out" } }] });
        server.server_side(Method::PATCH, "/users", change).await
    };
    tokio::select! {
        biased;
        reply = delete => panic!("first the conversations, then the profile: {reply}"),
        reply = write => assert_eq!(reply["users"]["ada"]["status"], "on my way out"),
    }
}

#[tokio::test]
async fn how_to_delete_many_is_never_guessed() {
    let server = TestServer::start().await;
    server.knows(&["bob"]).await;
    let server_side = token(json!({ "server": true }));

    for body in [json!({ "user_ids": ["bob"] }), json!({ "user_ids": ["bob"], "user": "somehow" })] {
        let (status, error) = server.request(&server_side, Method::POST, "/users/delete", body).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!(4)), "{error}");
        assert!(error["message"].as_str().unwrap().contains("user"), "{error}");
    }

    assert!(server.user("bob").await["deleted_at"].is_null());
}

#[tokio::test]
async fn what_a_deleted_user_wrote_is_no_longer_read() {
    let server = TestServer::start().await;
    let (ada, bob) = (server.connect("ada").await, server.connect("bob").await);
    let open = json!({ "data": { "members": ["ada", "bob"] }, "state": true });
    ada.call(Method::POST, "/channels/messaging/tea/query", open.clone()).await;
    let message =
        json!({ "message": { "text": "my secret", "place": "the attic", "attachments": [{ "title": "map" }] } });
    bob.call(Method::POST, "/channels/messaging/tea/message", message).await;

    server.server_side(Method::DELETE, "/users/bob?mark_messages_deleted=true", Value::Null).await;

    let state = ada.call(Method::POST, "/channels/messaging/tea/query", open).await;
    let message = &state["messages"][0];
    assert_eq!((&message["type"], &message["text"]), (&json!("deleted"), &json!("")));
    assert_eq!((message.get("place"), &message["attachments"]), (None, &json!([])));
}

#[tokio::test]
async fn only_the_application_s_server_ends_users() {
    let server = TestServer::start().await;
    let ada = server.connect("ada").await;
    server.connect("bob").await;
    for (method, path) in [
        (Method::DELETE, "/users/bob"),
        (Method::POST, "/users/delete"),
        (Method::POST, "/users/bob/deactivate"),
        (Method::POST, "/users/bob/event"),
        (Method::PATCH, "/app"),
    ] {
        let (status, error) = ada.request(method, path, json!({ "user_ids": ["bob"] })).await;
        assert_eq!((status.as_u16(), &error["code"]), (401, &json!(5)), "{path}: {error}");
    }
}

#[tokio::test]
async fn tokens_issued_before_a_revocation_are_void() {
    let server = TestServer::start().await;
    server.connect("bob").await;
    let issued =
        |at: &str| token(json!({ "user_id": "bob", "iat": at.parse::<jiff::Timestamp>().unwrap().as_second() }));
    let (old, new) = (issued("2024-01-01T00:00:00Z"), issued("2024-03-01T00:00:00Z"));

    let revoke =
        json!({ "users": [{ "id": "bob", "set": { "revoke_tokens_issued_before": "2024-02-01T00:00:00Z" } }] });
    let reply = server.server_side(Method::PATCH, "/users", revoke).await;

    assert_eq!(reply["users"]["bob"]["revoke_tokens_issued_before"], "2024-02-01T00:00:00Z");
    assert_eq!(refused(&server, &old).await, 40);
    let (status, _) = server.request(&new, Method::GET, "/users", Value::Null).await;
    assert_eq!(status, 200);
    let everybody = json!({ "revoke_tokens_issued_before": "2024-04-01T00:00:00Z" });
    server.server_side(Method::PATCH, "/app", everybody).await;
    assert_eq!(refused(&server, &new).await, 40);
    server.server_side(Method::PATCH, "/app", json!({ "revoke_tokens_issued_before": null })).await;
    let (status, _) = server.request(&new, Method::GET, "/users", Value::Null).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_guest_never_becomes_somebody_who_is_there() {
    let server = TestServer::start().await;
    let bob = server.connect_as(json!({ "id": "bob", "name": "Bob" })).await;
    let guest = |id: &'static str| {
        let url = server.url(&format!("/guest?api_key={}", common::KEY));
        let request = reqwest::Client::new().post(url).header("stream-auth-type", "anonymous");
        request.json(&json!({ "user": { "id": id, "name": "Guest", "role": "admin" } })).send()
    };

    let free: Value = guest("gil").await.unwrap().json().await.unwrap();
    assert_eq!((&free["user"]["id"], &free["user"]["role"]), (&json!("gil"), &json!("guest")));
    let taken: Value = guest("bob").await.unwrap().json().await.unwrap();

    let id = taken["user"]["id"].as_str().unwrap();
    assert!(id != "bob" && id.ends_with("-bob"), "{id}");
    let details = json!({ "user_id": id, "user_details": { "id": id } }).to_string();
    let token = taken["access_token"].as_str().unwrap().to_owned();
    let mut socket = open(&server, &[("json", details), ("authorization", token)]).await;
    assert_eq!(next_frame(&mut socket).await["me"]["role"], "guest");
    assert_eq!(bob.watch_users(&["bob"]).await[0]["name"], "Bob");
}

#[tokio::test]
async fn the_application_s_server_tells_a_user_something() {
    let server = TestServer::start().await;
    let mut bob = server.connect("bob").await;
    let event = json!({ "event": { "type": "dinner", "at": "eight", "cid": "messaging:forged" } });

    server.server_side(Method::POST, "/users/bob/event", event).await;

    let heard = bob.hears("dinner").await;
    assert_eq!(heard["at"], "eight");
    assert!(heard.get("cid").is_none());
    let server_side = token(json!({ "server": true }));
    for (path, kind, code) in [("/users/nobody/event", "dinner", 16), ("/users/bob/event", "user.updated", 4)] {
        let event = json!({ "event": { "type": kind } });
        let (_, error) = server.request(&server_side, Method::POST, path, event).await;
        assert_eq!(error["code"], code, "{error}");
    }
}
