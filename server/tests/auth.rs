//! Who may come in, and who no longer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::person::{close_code, next_frame, open};
use common::{TestServer, token, user_token};
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn issued_at(user: &str, seconds: i64) -> String {
    token(json!({ "user_id": user, "iat": Timestamp::now().as_second() + seconds }))
}

/// The code with which a token is refused, over HTTP and on the socket alike.
async fn refused(server: &TestServer, user: &str, token: &str) -> Option<i64> {
    let (status, reply) = server.request(token, Method::GET, "/users", Value::Null).await;
    let over_http = (status != StatusCode::OK).then(|| reply["code"].as_i64().unwrap());
    let json = json!({ "user_id": user, "user_details": { "id": user } }).to_string();
    let mut socket = open(server, &[("json", json), ("authorization", token.to_owned())]).await;
    let frame = next_frame(&mut socket).await;
    let on_socket = frame.get("error").map(|error| error["code"].as_i64().unwrap());
    assert_eq!(on_socket, over_http, "{frame}, {reply}");
    on_socket
}

#[tokio::test]
async fn a_deactivated_user_is_shut_out_until_reactivated() {
    let server = TestServer::start().await;
    let mut bob = server.connect("bob").await;
    let ada = server.connect("ada").await;
    bob.watch_users(&["ada"]).await;
    server.server_side(Method::POST, "/users/ada/deactivate", json!({})).await;
    bob.sees_at_last(&("ada".to_owned(), false)).await;
    assert_eq!(ada.hears_close().await, Some(1008));
    assert_eq!(refused(&server, "ada", &user_token("ada")).await, Some(5));
    server.server_side(Method::POST, "/users/ada/reactivate", json!({})).await;
    assert_eq!(refused(&server, "ada", &user_token("ada")).await, None);
}

#[tokio::test]
async fn whoever_arrives_while_being_deactivated_does_not_stay() {
    let server = TestServer::start().await;
    for round in 0..20 {
        let id = format!("ada-{round}");
        server.knows(&[&id]).await;
        let json = json!({ "user_id": id, "user_details": { "id": id } }).to_string();
        let query = [("json", json), ("authorization", user_token(&id))];
        let path = format!("/users/{id}/deactivate");
        let (mut socket, _) = tokio::join!(open(&server, &query), server.server_side(Method::POST, &path, json!({})),);
        // Refused, or expelled: either way it ends.
        assert!(matches!(close_code(&mut socket).await, Some(1000 | 1008)));
        assert_eq!(server.user(&id).await["online"], false);
    }
}

#[tokio::test]
async fn a_deleted_user_does_not_exist() {
    let server = TestServer::start().await;
    server.knows(&["ada"]).await;
    server.server_side(Method::DELETE, "/users/ada", Value::Null).await;
    assert_eq!(refused(&server, "ada", &user_token("ada")).await, Some(16));
}

#[tokio::test]
async fn a_user_s_tokens_can_be_revoked() {
    let server = TestServer::start().await;
    server.knows(&["ada", "bob"]).await;
    let (ada, mut bob) = (server.connect("ada").await, server.connect("bob").await);
    bob.watch_users(&["ada"]).await;
    let revoke = json!({ "users": [{ "id": "ada", "set": { "revoke_tokens_issued_before": Timestamp::now() } }] });
    server.server_side(Method::PATCH, "/users", revoke).await;
    assert_eq!(ada.hears_close().await, Some(1012), "a code after which SDKs come back, and are told");
    bob.sees_at_last(&("ada".to_owned(), false)).await;
    assert_eq!(refused(&server, "ada", &user_token("ada")).await, Some(40), "it does not say when it was issued");
    assert_eq!(refused(&server, "ada", &issued_at("ada", -60)).await, Some(40));
    assert_eq!(refused(&server, "ada", &issued_at("ada", 5)).await, None);
    assert_eq!(refused(&server, "bob", &user_token("bob")).await, None);
    let accept = json!({ "users": [{ "id": "ada", "set": { "revoke_tokens_issued_before": null } }] });
    server.server_side(Method::PATCH, "/users", accept).await;
    assert_eq!(refused(&server, "ada", &user_token("ada")).await, None);
}

#[tokio::test]
async fn everybody_s_tokens_can_be_revoked() {
    let server = TestServer::start().await;
    server.knows(&["ada"]).await;
    let ada = server.connect("ada").await;
    server.server_side(Method::PATCH, "/app", json!({ "revoke_tokens_issued_before": Timestamp::now() })).await;
    assert_eq!(ada.hears_close().await, Some(1012));
    assert_eq!(refused(&server, "ada", &user_token("ada")).await, Some(40));
    assert_eq!(refused(&server, "ada", &issued_at("ada", 5)).await, None);
    server.server_side(Method::PATCH, "/app", json!({ "revoke_tokens_issued_before": null })).await;
    assert_eq!(refused(&server, "ada", &user_token("ada")).await, None);
}

#[tokio::test]
async fn whoever_arrives_while_their_token_is_revoked_does_not_stay() {
    let server = TestServer::start().await;
    for round in 0..20 {
        let id = format!("ada-{round}");
        server.knows(&[&id]).await;
        let before = Timestamp::now();
        let (path, revoke) = match round % 2 {
            0 => ("/users", json!({ "users": [{ "id": id, "set": { "revoke_tokens_issued_before": before } }] })),
            _ => ("/app", json!({ "revoke_tokens_issued_before": before })),
        };
        // Saying something new takes a write, between being let in and being here.
        let json = json!({ "user_id": id, "user_details": { "id": id, "name": "Ada" } }).to_string();
        let query = [("json", json), ("authorization", issued_at(&id, -60))];
        let (mut socket, _) = tokio::join!(open(&server, &query), server.server_side(Method::PATCH, path, revoke));
        // Refused, or expelled: either way it ends.
        assert!(matches!(close_code(&mut socket).await, Some(1000 | 1012)), "{path}");
        server.server_side(Method::PATCH, "/app", json!({ "revoke_tokens_issued_before": null })).await;
    }
}

#[tokio::test]
async fn a_development_token_works_only_where_it_was_allowed() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let dev_token = |claims| format!("{}.{}.devtoken", part(header.clone()), part(claims));
    let server = TestServer::start().await;
    assert_eq!(refused(&server, "ada", &dev_token(json!({ "user_id": "ada" }))).await, None);
    assert_eq!(refused(&server, "ada", &dev_token(json!({ "server": true }))).await, Some(43), "never server-side");
    let strict = TestServer::without_dev_tokens().await;
    let token = dev_token(json!({ "user_id": "ada" }));
    assert_eq!(refused(&strict, "ada", &token).await, Some(43));
    let (_, error) = strict.request(&token, Method::GET, "/users", Value::Null).await;
    assert!(error["message"].as_str().unwrap().contains("--dev-tokens"), "it says what to do: {error}");
}

#[tokio::test]
async fn while_the_database_fails_nobody_is_told_that_their_token_is_wrong() {
    let server = TestServer::start().await;
    server.knows(&["ada"]).await;
    server.break_database().await;
    let (_, error) = server.request(&user_token("ada"), Method::GET, "/users", Value::Null).await;
    assert_eq!(error["code"], 3, "{error}");
    let json = json!({ "user_id": "ada" }).to_string();
    let mut socket = open(&server, &[("json", json), ("authorization", user_token("ada"))]).await;
    // An SDK comes back after that; after an error frame it would give up.
    assert_eq!(close_code(&mut socket).await, Some(1013));
    assert_eq!(refused(&server, "ada", "nonsense").await, Some(5));
}

#[tokio::test]
async fn a_refusal_says_nothing_of_the_secret() {
    let server = TestServer::start().await;
    let json = json!({ "user_id": "ada" }).to_string();
    let mut socket = open(&server, &[("json", json), ("authorization", "a.b.c".to_owned())]).await;
    let frame = next_frame(&mut socket).await.to_string();
    assert!(!frame.contains(common::SECRET), "{frame}");
    close_code(&mut socket).await;
}
