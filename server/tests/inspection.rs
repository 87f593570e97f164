//! Why somebody is online, told to those who may know.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::{Person, TestServer, user_token};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

async fn presence(server: &TestServer, id: &str) -> Value {
    let path = format!("/rollcall/users/{id}/presence");
    server.server_side(Method::GET, &path, Value::Null).await["presence"].clone()
}

/// What happened, newest first: type, and reason if there is one.
fn history(presence: &Value) -> Vec<String> {
    let word = |step: &Value| match step["reason"].as_str() {
        Some(reason) => format!("{}: {reason}", step["type"].as_str().unwrap()),
        None => step["type"].as_str().unwrap().to_owned(),
    };
    presence["history"].as_array().unwrap().iter().map(word).collect()
}

async fn bob(server: &TestServer) -> Person {
    server.connect("bob").await
}

#[tokio::test]
async fn a_connection_says_where_it_comes_from_and_when_it_was_last_heard() {
    let server = TestServer::start().await;
    let bob = bob(&server).await;

    let told = presence(&server, "bob").await;

    assert_eq!((&told["online"], &told["why"]), (&json!(true), &json!("connected")));
    let [connection] = told["connections"].as_array().unwrap().as_slice() else { panic!("{told}") };
    assert_eq!(connection["id"], bob.connection_id);
    assert_eq!(connection["transport"], "websocket");
    let time = |field: &str| connection[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(time("opened_at") <= time("last_heard_at"));
    assert_eq!(history(&told), ["online", "connected"]);
}

#[tokio::test]
async fn a_page_that_closed_leaves_a_grace_and_what_ended_it_is_remembered() {
    let server = TestServer::with(&["--page-grace", "1h"]).await;
    bob(&server).await.closes_with(CloseCode::Away).await;

    let told = presence(&server, "bob").await;

    assert_eq!((&told["online"], &told["why"], &told["connections"]), (&json!(true), &json!("grace"), &json!([])));
    assert_eq!(told["grace"]["after"], "left");
    let until: jiff::Timestamp = told["grace"]["until"].as_str().unwrap().parse().unwrap();
    assert!(until > jiff::Timestamp::now());
    assert_eq!(history(&told), ["disconnected: left", "online", "connected"]);
}

#[tokio::test]
async fn who_hides_is_told_from_who_left_to_the_server_side_and_to_themselves_alone() {
    let server = TestServer::start().await;
    let bob = server.connect_as(json!({ "id": "bob", "invisible": true })).await;
    server.connect("ada").await.says_goodbye().await;
    let path = "/rollcall/users/bob/presence";

    let told = presence(&server, "bob").await;
    assert_eq!((&told["online"], &told["why"], &told["invisible"]), (&json!(false), &json!("invisible"), &json!(true)));
    assert_eq!(told["connections"].as_array().unwrap().len(), 1);
    assert_eq!(presence(&server, "ada").await["why"], "away");

    let (status, own) = server.request(&user_token("bob"), Method::GET, path, Value::Null).await;
    assert!(status.is_success(), "{own}");
    assert_eq!(own["presence"]["why"], "invisible");

    // Ada hears the same of one who hides and of one who never was.
    for id in ["bob", "nobody"] {
        let path = format!("/rollcall/users/{id}/presence");
        let (status, refused) = server.request(&user_token("ada"), Method::GET, &path, Value::Null).await;
        assert_eq!((status.as_u16(), &refused["code"]), (403, &json!(17)), "{refused}");
    }
    bob.says_goodbye().await;
}

#[tokio::test]
async fn hiding_is_remembered_as_what_it_was() {
    let server = TestServer::start().await;
    let bob = bob(&server).await;
    bob.call(Method::POST, "/users", json!({ "users": { "bob": { "id": "bob", "invisible": true } } })).await;

    assert_eq!(history(&presence(&server, "bob").await), ["offline: invisible", "online", "connected"]);
}

#[tokio::test]
async fn of_one_who_does_not_exist_there_is_nothing_to_tell() {
    let server = TestServer::start().await;
    let server_side = common::token(json!({ "server": true }));
    let path = "/rollcall/users/nobody/presence";

    let (status, reply) = server.request(&server_side, Method::GET, path, Value::Null).await;

    assert_eq!((status.as_u16(), &reply["code"]), (404, &json!(16)));
}
