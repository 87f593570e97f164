//! How a connection is opened, refused, kept alive and ended.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::person::{close_code, next_frame, open};
use common::{SECRET, TestServer, signed, token, user_token};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

fn payload(user: &str) -> String {
    json!({ "user_id": user, "user_details": { "id": user } }).to_string()
}

/// Connects with this query and returns the error that the only frame holds.
async fn refusal(server: &TestServer, query: &[(&str, String)]) -> Value {
    let mut socket = open(server, query).await;
    let frame = next_frame(&mut socket).await;
    assert_eq!(close_code(&mut socket).await, Some(1000));
    assert_eq!(frame["type"], "connection.error", "{frame}");
    assert_eq!(frame["connection_id"], "");
    for field in ["code", "details", "duration", "message", "more_info", "StatusCode"] {
        assert!(frame["error"].get(field).is_some(), "{field} is missing in {frame}");
    }
    assert!(frame["error"]["message"].as_str().unwrap().starts_with("Connect failed with error: "));
    frame["error"].clone()
}

#[tokio::test]
async fn the_first_frame_says_who_i_am() {
    let server = TestServer::start().await;
    let ada = server.connect_as(json!({ "id": "ada", "name": "Ada", "status": "Here" })).await;
    assert_eq!(ada.hello["cid"], "*");
    assert!(ada.hello["created_at"].is_string());
    assert!(ada.hello.get("rollcall").is_none(), "nobody asked for an extension");
    let me = &ada.me;
    assert_eq!((&me["id"], &me["name"], &me["status"]), (&json!("ada"), &json!("Ada"), &json!("Here")));
    assert_eq!((&me["role"], &me["online"], &me["invisible"]), (&json!("user"), &json!(true), &json!(false)));
    for list in ["devices", "mutes", "channel_mutes"] {
        assert_eq!(me[list], json!([]), "{list}");
    }
    for count in ["unread_count", "total_unread_count", "unread_channels"] {
        assert_eq!(me[count], 0, "{count}");
    }
}

#[tokio::test]
async fn a_refused_connection_learns_why_and_is_closed_with_1000() {
    let server = TestServer::start().await;
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let with = |token: String| vec![("json", payload("ada")), ("authorization", token)];
    let claims = |name: &str, seconds: i64| {
        let time = jiff::Timestamp::now().as_second() + seconds;
        token(json!({ "user_id": "ada", name: time }))
    };
    let cases = [
        (2, [with(user_token("ada")), vec![("api_key", "another".into())]].concat()),
        (5, vec![("json", payload("ada"))]),
        (5, with("nonsense".into())),
        (5, with(user_token("bob"))),
        (5, with(token(json!({ "server": true })))),
        (40, with(claims("exp", -1))),
        (41, with(claims("nbf", 3600))),
        (42, with(claims("iat", 3600))),
        (43, with(signed(header, json!({ "user_id": "ada" }), "another secret"))),
        (43, with(signed(json!({ "alg": "HS512" }), json!({ "user_id": "ada" }), SECRET))),
        (43, with(signed(json!({ "alg": "none" }), json!({ "user_id": "ada" }), SECRET))),
        (4, vec![("json", "{".into()), ("authorization", user_token("ada"))]),
    ];
    for (code, query) in cases {
        let error = refusal(&server, &query).await;
        assert_eq!(error["code"], code, "{error}");
        assert_eq!(error["StatusCode"], if code == 4 { 400 } else { 401 });
    }
}

#[tokio::test]
async fn an_sdk_that_takes_a_type_for_an_event_gets_its_error_without() {
    let server = TestServer::start().await;
    let client = "stream-chat-unreal-client-1.2.0".to_owned();
    let mut socket = open(&server, &[("json", payload("ada")), ("X-Stream-Client", client)]).await;
    let frame = next_frame(&mut socket).await;
    assert!(frame.get("type").is_none());
    assert_eq!(frame["error"]["code"], 5);
}

#[tokio::test]
async fn every_sdk_s_keep_alive_is_answered() {
    let server = TestServer::start().await;
    let mut ada = server.connect("ada").await;
    let echo = json!({ "type": "health.check", "me": ada.me, "connection_id": ada.connection_id });
    let keep_alives = [
        Message::text(r#"[{"type":"health.check","client_id":"ada--1"}]"#),
        Message::text(r#"{"type":"health.check"}"#),
        Message::text(echo.to_string()),
        Message::text(""),
        Message::Ping("".into()),
    ];
    ada.heard_so_far().await;
    for keep_alive in keep_alives {
        ada.send(keep_alive).await;
        let answer = ada.next_frame().await;
        assert_eq!(answer["type"], "health.check");
        assert_eq!(answer["connection_id"], ada.connection_id);
        assert_eq!(answer["cid"], "*");
        assert!(answer.get("me").is_none());
    }
}

#[tokio::test]
async fn other_frames_are_passed_over() {
    let server = TestServer::start().await;
    let mut ada = server.connect("ada").await;
    ada.heard_so_far().await;
    for frame in ["nonsense", "[]", "{}", "7", "null", r#"{"type":"typing.start"}"#, r#"[[[]]]"#] {
        ada.send(Message::text(frame)).await;
    }
    ada.send(Message::binary(vec![0xff, 0x00])).await;
    ada.send(Message::text("")).await;
    assert_eq!(ada.next_frame().await["type"], "health.check");
}

#[tokio::test]
async fn who_asks_for_batches_gets_them() {
    let server = TestServer::start().await;
    let query =
        [("json", payload("ada")), ("authorization", user_token("ada")), ("rollcall", "batch,unheard-of".to_owned())];
    let mut socket = open(&server, &query).await;
    let hello = next_frame(&mut socket).await;
    assert_eq!(hello["rollcall"], json!(["batch"]));
}

#[tokio::test]
async fn a_restart_of_the_server_says_come_back() {
    let server = TestServer::start().await;
    let ada = server.connect("ada").await;
    let (code, ()) = tokio::join!(ada.hears_close(), server.stop());
    assert_eq!(code, Some(1001));
}

#[tokio::test]
async fn what_a_client_may_not_say_of_itself_is_passed_over() {
    let server = TestServer::start().await;
    let details = json!({
        "id": "ada", "role": "admin", "teams": ["red"], "banned": true, "online": false,
        "created_at": "2001-01-01T00:00:00Z", "favourite": "tea",
    });
    let ada = server.connect_as(details).await;
    assert_eq!((&ada.me["role"], &ada.me["teams"], &ada.me["banned"]), (&json!("user"), &json!([]), &json!(false)));
    assert_eq!(ada.me["favourite"], "tea");
    assert!(ada.me["created_at"].as_str().unwrap() > "2020");
}

#[tokio::test]
async fn nobody_in_particular_may_connect_too() {
    let server = TestServer::start().await;
    let json = json!({ "user_id": "some-uuid", "user_details": { "id": "some-uuid", "anon": true } }).to_string();
    let query = [("json", json), ("stream-auth-type", "anonymous".to_owned()), ("authorization", String::new())];
    let mut socket = open(&server, &query).await;
    let hello = next_frame(&mut socket).await;
    assert_eq!(hello["me"]["id"], "!anon", "{hello}");
}

#[tokio::test]
async fn who_says_nothing_is_asked_and_then_given_up() {
    let flags =
        ["--health-check-interval", "50ms", "--ping-after", "50ms", "--idle-timeout", "200ms", "--offline-grace", "0s"];
    let server = TestServer::with(&flags).await;
    let mut ada = server.connect("ada").await;
    let unsolicited = loop {
        let frame = ada.next_frame().await;
        if frame["type"] == "health.check" {
            break frame;
        }
    };
    assert!(unsolicited.get("me").is_none());

    // Whoever reads answers the server's pings. Bob does not read on.
    let mut bob = open(&server, &[("json", payload("bob")), ("authorization", user_token("bob"))]).await;
    next_frame(&mut bob).await;
    while server.user("bob").await["online"] == true {}
    assert_eq!(close_code(&mut bob).await, Some(4000));
}

#[tokio::test]
async fn a_frame_that_is_too_long_is_not_taken() {
    let server = TestServer::start().await;
    for message in [Message::text("x".repeat(64 * 1024 + 1)), Message::binary(vec![0; 64 * 1024 + 1])] {
        let mut bob = server.connect("bob").await;
        bob.send(message).await;
        assert_eq!(bob.hears_close().await, Some(1009));
    }
    let mut bob = server.connect("bob").await;
    bob.send(Message::text(" ".repeat(64 * 1024))).await;
    while bob.next_frame().await["type"] != "health.check" {}
}

#[tokio::test]
async fn a_reader_that_falls_behind_is_told_to_come_back() {
    let server = TestServer::with(&["--event-queue", "1"]).await;
    server.knows(&["ada", "eve"]).await;
    let bob = server.connect("bob").await;
    bob.watch_users(&["ada", "eve"]).await;
    let users = json!({ "users": { "ada": { "id": "ada", "status": "1" }, "eve": { "id": "eve", "status": "2" } } });
    server.server_side(Method::POST, "/users", users).await;
    assert_eq!(bob.hears_close().await, Some(1013));
}

#[tokio::test]
async fn a_user_has_only_so_many_connections() {
    let server = TestServer::with(&["--connections-per-user", "2"]).await;
    let first = server.connect("ada").await;
    let _second = server.connect("ada").await;
    let error = refusal(&server, &[("json", payload("ada")), ("authorization", user_token("ada"))]).await;
    assert_eq!((&error["code"], &error["StatusCode"]), (&json!(71), &json!(429)));
    first.says_goodbye().await;
    server.connect("ada").await;
}
