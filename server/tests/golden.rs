//! The frames in `protocol/golden/` are what the server writes today. They are there for the
//! client's tests to read, so that neither side changes the protocol alone. Those in
//! `protocol/golden/client/` go the other way: see `golden_client.rs`.
//!
//! `GOLDEN=write cargo test -p rollcall-server --test golden` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;

use common::person::{next_frame, open};
use common::{KEY, Person, SECRET, TestServer, signed, token, user_token};
use jiff::Timestamp;
use reqwest::Method;
use rollcall_protocol::{ErrorCode, event as name};
use rollcall_server::error::ApiError;
use rollcall_server::wire;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// Frames by the name of their file.
#[derive(Default)]
struct Frames(BTreeMap<String, Value>);

impl Frames {
    fn keep(&mut self, name: &str, frame: &Value) {
        let known = self.0.insert(name.to_owned(), still(frame));
        assert!(known.is_none(), "{name} is kept twice");
    }

    /// Waits until the person hears the event, and keeps it under its name.
    async fn heard(&mut self, person: &mut Person, kind: &str) {
        let frame = person.hears(kind).await;
        self.keep(kind, &frame);
    }

    /// Compares with the files, or writes them.
    fn check(self, prefix: &str) {
        let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../protocol/golden");
        let write = std::env::var("GOLDEN").is_ok_and(|how| how == "write");
        for (name, frame) in &self.0 {
            let path = directory.join(format!("{prefix}{name}.json"));
            let text = format!("{frame:#}\n");
            if write {
                std::fs::write(&path, text).unwrap();
                continue;
            }
            let golden = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(text, golden, "{} is not what the server writes", path.display());
        }
    }
}

/// The frame with everything fixed that differs from one run to the next.
fn still(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), still(value))).collect(),
        Value::Array(items) => items.iter().map(still).collect(),
        Value::String(text) if text.parse::<Timestamp>().is_ok() => "2026-01-02T03:04:05.678901Z".into(),
        Value::String(text) if uuid::Uuid::try_parse(text).is_ok() => "6a2fea53-0a15-4922-8200-00000000048f".into(),
        Value::String(text) if text.ends_with("ms") && text.len() < 10 => "1.23ms".into(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn every_event() {
    let server = TestServer::start().await;
    let mut frames = Frames::default();
    server.knows(&["ada", "bob", "cyd", "dan"]).await;

    // Who comes, changes, hides and leaves.
    let mut ada = server.connect_as(json!({ "id": "ada", "name": "Ada" })).await;
    frames.keep("health.check.first", &ada.hello);
    ada.heard_so_far().await;
    ada.send(Message::text("")).await;
    frames.keep(name::HEALTH_CHECK, &ada.next_frame().await);
    ada.watch_users(&["bob", "dan"]).await;
    let details = json!({ "id": "bob", "name": "Bob", "image": "https://example.org/bob.png", "status": "Here" });
    let mut bob = server.connect_as(details).await;
    frames.heard(&mut ada, name::USER_PRESENCE_CHANGED).await;
    bob.upsert(json!({ "status": "Having tea" })).await;
    ada.hears(name::USER_UPDATED).await;
    frames.heard(&mut ada, name::USER_UPDATED).await;

    // A channel they share.
    let channel = "/channels/messaging/tea";
    let open =
        json!({ "data": { "members": ["ada", "bob"], "name": "Tea" }, "state": true, "watch": true, "presence": true });
    ada.call(Method::POST, &format!("{channel}/query"), open).await;
    frames.heard(&mut bob, name::NOTIFICATION_ADDED_TO_CHANNEL).await;
    let hello = json!({ "message": { "text": "Hello" } });
    ada.call(Method::POST, &format!("{channel}/message"), hello.clone()).await;
    frames.heard(&mut ada, name::MESSAGE_NEW).await;
    frames.heard(&mut bob, name::NOTIFICATION_MESSAGE_NEW).await;
    let watch = json!({ "state": true, "watch": true });
    bob.call(Method::POST, &format!("{channel}/query"), watch).await;
    frames.heard(&mut ada, name::USER_WATCHING_START).await;
    bob.call(Method::POST, &format!("{channel}/read"), json!({})).await;
    frames.heard(&mut ada, name::MESSAGE_READ).await;
    frames.heard(&mut bob, name::NOTIFICATION_MARK_READ).await;
    for kind in [name::TYPING_START, name::TYPING_STOP] {
        bob.call(Method::POST, &format!("{channel}/event"), json!({ "event": { "type": kind } })).await;
        frames.heard(&mut ada, kind).await;
    }
    let wave = json!({ "event": { "type": "wave", "hands": 2 } });
    bob.call(Method::POST, &format!("{channel}/event"), wave.clone()).await;
    frames.heard(&mut ada, "wave").await;

    // Members and invitations.
    ada.call(Method::POST, channel, json!({ "add_members": ["cyd"] })).await;
    frames.heard(&mut ada, name::MEMBER_ADDED).await;
    let mut cyd = server.connect("cyd").await;
    ada.call(Method::POST, channel, json!({ "remove_members": ["cyd"] })).await;
    frames.heard(&mut ada, name::MEMBER_REMOVED).await;
    frames.heard(&mut cyd, name::NOTIFICATION_REMOVED_FROM_CHANNEL).await;
    ada.call(Method::POST, channel, json!({ "invites": ["cyd"] })).await;
    frames.heard(&mut cyd, name::NOTIFICATION_INVITED).await;
    cyd.call(Method::POST, channel, json!({ "reject_invite": true })).await;
    frames.heard(&mut cyd, name::NOTIFICATION_INVITE_REJECTED).await;
    ada.call(Method::POST, channel, json!({ "invites": ["cyd"] })).await;
    cyd.call(Method::POST, channel, json!({ "accept_invite": true })).await;
    frames.heard(&mut cyd, name::NOTIFICATION_INVITE_ACCEPTED).await;
    ada.heard_so_far().await;
    let moderator = json!({ "add_moderators": ["bob"] });
    server.server_side(Method::POST, channel, moderator).await;
    frames.heard(&mut ada, name::MEMBER_UPDATED).await;

    // The channel itself.
    ada.call(Method::PATCH, channel, json!({ "set": { "color": "green" } })).await;
    frames.heard(&mut ada, name::CHANNEL_UPDATED).await;
    ada.call(Method::POST, &format!("{channel}/hide"), json!({})).await;
    frames.heard(&mut ada, name::CHANNEL_HIDDEN).await;
    ada.call(Method::POST, &format!("{channel}/show"), json!({})).await;
    frames.heard(&mut ada, name::CHANNEL_VISIBLE).await;
    bob.call(Method::POST, &format!("{channel}/stop-watching"), json!({})).await;
    frames.heard(&mut ada, name::USER_WATCHING_STOP).await;
    server.server_side(Method::DELETE, channel, Value::Null).await;
    frames.heard(&mut ada, name::CHANNEL_DELETED).await;
    frames.heard(&mut bob, name::NOTIFICATION_CHANNEL_DELETED).await;

    // What the application does.
    server.server_side(Method::POST, "/users/ada/event", wave).await;
    let frame = ada.hears("wave").await;
    frames.keep("wave.to_user", &frame);
    server.server_side(Method::DELETE, "/users/dan", Value::Null).await;
    frames.heard(&mut ada, name::USER_DELETED).await;

    frames.check("");
}

#[tokio::test]
async fn every_way_to_be_refused() {
    let server = TestServer::with(&["--connections-per-user", "1"]).await;
    server.knows(&["ada", "deleted", "deactivated"]).await;
    server.server_side(Method::DELETE, "/users/deleted", Value::Null).await;
    server.server_side(Method::POST, "/users/deactivated/deactivate", json!({})).await;
    let _only = server.connect("ada").await;
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let in_time = |claim: &str, seconds: i64| {
        let time = Timestamp::now().as_second() + seconds;
        token(json!({ "user_id": "ada", claim: time }))
    };
    let cases = [
        ("2", "ada", "another key", user_token("ada")),
        ("4", "not an id", KEY, user_token("not an id")),
        ("5", "ada", KEY, "nonsense".to_owned()),
        ("5.deactivated", "deactivated", KEY, user_token("deactivated")),
        ("16", "deleted", KEY, user_token("deleted")),
        ("40", "ada", KEY, in_time("exp", -60)),
        ("41", "ada", KEY, in_time("nbf", 3600)),
        ("42", "ada", KEY, in_time("iat", 3600)),
        ("43", "ada", KEY, signed(header, json!({ "user_id": "ada" }), &SECRET.to_uppercase())),
        ("71", "ada", KEY, user_token("ada")),
    ];
    let mut frames = Frames::default();
    for (code, user, key, token) in cases {
        let json = json!({ "user_id": user, "user_details": { "id": user } }).to_string();
        let query = [("json", json), ("api_key", key.to_owned()), ("authorization", token)];
        let mut socket = open(&server, &query).await;
        let frame = next_frame(&mut socket).await;
        assert_eq!(frame["error"]["code"].to_string(), code.split('.').next().unwrap(), "{frame}");
        frames.keep(code, &frame);
    }
    // What the Unreal SDK gets, and what others got until 2020.
    let query = [("authorization", "nonsense".to_owned()), ("X-Stream-Client", "unreal".to_owned())];
    frames.keep("5.untyped", &next_frame(&mut open(&server, &query).await).await);
    // Only the hosted service suspends applications; this is how our server would say it.
    let suspended = ApiError::new(ErrorCode::AppSuspended, "the application is suspended").within("Connect");
    frames.keep("99", &suspended.to_frame(&Timestamp::now().to_string(), true));
    frames.check("connection.error.");
}

/// Only one of several servers says it, and only while it is cut off from the others: see the stories of those.
#[test]
fn a_doubt() {
    let mut frames = Frames::default();
    let event = wire::Event::doubt(true, Timestamp::now()).serialize().unwrap();
    frames.keep(name::CONNECTION_DOUBT, &serde_json::from_str(&event.json).unwrap());
    frames.check("");
}

#[tokio::test]
async fn every_refusal_that_only_a_request_meets() {
    let server = TestServer::start().await;
    let cases = [
        ("17", Method::POST, "/users", json!({ "users": { "bob": { "id": "bob" } } })),
        ("46", Method::GET, "/longpoll?user_id=ada&connection_id=stale", Value::Null),
    ];
    let mut replies = Frames::default();
    for (code, method, path, body) in cases {
        let (_, reply) = server.request(&user_token("ada"), method, path, body).await;
        assert_eq!(reply["code"].to_string(), code, "{reply}");
        replies.keep(code, &reply);
    }
    replies.check("reply.error.");
}
