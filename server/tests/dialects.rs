//! Each SDK connects and keeps alive in its own way; all of them are understood.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::document::json_file;
use common::person::{Socket, close_code, next_frame};
use common::{KEY, TestServer, user_token};
use futures_util::SinkExt;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

/// Connects as an SDK does: what it puts into `json`, the rest of the query, and headers.
async fn connect(server: &TestServer, json: Value, query: &[(&str, &str)], headers: &[(&'static str, &str)]) -> Socket {
    let mut url = Url::parse(&format!("ws://{}/connect", server.address)).unwrap();
    url.query_pairs_mut().append_pair("json", &json.to_string()).append_pair("api_key", KEY).extend_pairs(query);
    let mut request = url.as_str().into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
    }
    connect_async(request).await.unwrap().0
}

/// The first frame greets Jim; afterwards the keep-alive is answered.
async fn is_served(mut socket: Socket, keep_alive: impl FnOnce(&Value) -> Message) -> Value {
    let hello = next_frame(&mut socket).await;
    assert_eq!((&hello["type"], &hello["me"]["id"]), (&json!("health.check"), &json!("jim")), "{hello}");
    socket.send(keep_alive(&hello)).await.unwrap();
    loop {
        let frame = next_frame(&mut socket).await;
        if frame["type"] == "health.check" {
            assert_eq!(frame["connection_id"], hello["connection_id"]);
            assert!(frame.get("me").is_none());
            return hello;
        }
    }
}

#[tokio::test]
async fn javascript() {
    let server = TestServer::start().await;
    let json = json!({ "user_id": "jim", "user_details": { "id": "jim", "status": "Here" }, "client_request_id": "1" });
    let token = user_token("jim");
    let query = [("authorization", &*token), ("stream-auth-type", "jwt"), ("X-Stream-Client", "stream-chat-js-v9")];
    let socket = connect(&server, json, &query, &[]).await;
    let keep_alive = |_: &Value| Message::text(r#"[{"type":"health.check","client_id":"jim--1"}]"#);
    assert_eq!(is_served(socket, keep_alive).await["me"]["status"], "Here");
}

#[tokio::test]
async fn swift_authenticates_in_headers_and_pings() {
    let server = TestServer::start().await;
    let json = json!({
        "user_id": "jim", "server_determines_connection_id": true,
        "user_details": { "id": "jim", "name": "Jim", "invisible": false, "language": "en", "privacy_settings": {} },
    });
    let token = user_token("jim");
    let headers = [("authorization", &*token), ("stream-auth-type", "jwt"), ("x-stream-client", "stream-chat-swift")];
    let socket = connect(&server, json, &[], &headers).await;
    let hello = is_served(socket, |_| Message::Ping("".into())).await;
    for field in ["id", "role", "created_at", "updated_at", "online", "language"] {
        assert!(hello["me"].get(field).is_some(), "{field}");
    }
}

#[tokio::test]
async fn flutter_sends_its_token_in_the_payload() {
    let server = TestServer::start().await;
    let json = json!({
        "user_id": "jim", "user_details": { "id": "jim" }, "user_token": user_token("jim"),
        "server_determines_connection_id": true,
    });
    let query = [("stream-auth-type", "jwt"), ("X-Stream-Client", "\"stream-chat-flutter\"")];
    let socket = connect(&server, json, &query, &[]).await;
    let keep_alive = |hello: &Value| {
        Message::text(json!({ "type": "health.check", "connection_id": hello["connection_id"] }).to_string())
    };
    is_served(socket, keep_alive).await;
}

#[tokio::test]
async fn swift_syncs_and_watches_again_after_a_reconnect() {
    let server = TestServer::start().await;
    server.knows(&["jim", "ann"]).await;
    let open = json!({ "data": { "members": ["jim", "ann"], "created_by_id": "ann" } });
    server.server_side(Method::POST, "/channels/messaging/tea/query", open).await;
    let say = async |text: &str| {
        let message = json!({ "message": { "text": text, "user_id": "ann" } });
        server.server_side(Method::POST, "/channels/messaging/tea/message", message).await
    };
    let missed = say("while you were out").await;

    let jim = server.connect("jim").await;
    let sync = json!({
        "channel_cids": ["messaging:tea", "messaging:elsewhere"], "last_sync_at": "2020-01-01T00:00:00.000Z",
        "watch": true, "with_inaccessible_cids": true,
    });
    let path = format!("/sync?connection_id={}", jim.connection_id);
    let (status, reply) = server.request(&user_token("jim"), Method::POST, &path, sync.clone()).await;
    assert_eq!(status, 201, "{reply}");
    assert_eq!(reply["events"][0]["type"], "message.new");
    assert_eq!(reply["events"][0]["message"]["id"], missed["message"]["id"]);
    assert_eq!(reply["inaccessible_cids"], json!(["messaging:elsewhere"]));

    let mut jim = jim;
    say("welcome back").await;
    assert_eq!(jim.hears("message.new").await["message"]["text"], "welcome back", "he watches it now");

    let (status, error) = server.request(&user_token("jim"), Method::POST, "/sync", sync).await;
    assert_eq!((status.as_u16(), &error["code"]), (400, &json!(4)), "{error}");
    assert!(error["message"].as_str().unwrap().contains("active websocket connection"), "{error}");
}

#[tokio::test]
async fn android_names_its_client_in_the_payload_and_echoes_the_event() {
    let server = TestServer::start().await;
    let json = json!({
        "user_id": "jim", "server_determines_connection_id": true, "X-Stream-Client": "stream-chat-android",
        "user_details": { "id": "jim", "role": "admin", "banned": false, "invisible": false, "teams": [] },
    });
    let token = user_token("jim");
    let socket = connect(&server, json, &[("authorization", &token)], &[]).await;
    let hello = is_served(socket, |hello| Message::text(hello.to_string())).await;
    assert_eq!(hello["me"]["role"], "user");
}

/// What Android's SDK requires of events, besides the type, the time and the channel's names: it
/// drops those in which something is missing.
const ANDROID: &[(&str, &[&str])] = &[
    ("channel.deleted", &["channel"]),
    ("channel.hidden", &["channel", "user", "clear_history"]),
    ("channel.updated", &["channel", "user"]),
    ("channel.visible", &["channel", "user"]),
    ("member.added", &["member", "user"]),
    ("member.removed", &["member", "user"]),
    ("member.updated", &["member", "user"]),
    ("message.new", &["message", "user", "total_unread_count", "unread_channels"]),
    ("message.read", &["user"]),
    ("notification.added_to_channel", &["channel", "member", "total_unread_count", "unread_channels"]),
    ("notification.channel_deleted", &["channel"]),
    ("notification.invite_accepted", &["channel", "member", "user"]),
    ("notification.invite_rejected", &["channel", "member", "user"]),
    ("notification.invited", &["channel", "member", "user"]),
    ("notification.mark_read", &["user", "total_unread_count", "unread_channels"]),
    ("notification.message_new", &["channel", "message", "total_unread_count", "unread_channels"]),
    ("notification.removed_from_channel", &["channel", "member"]),
    ("typing.start", &["user"]),
    ("typing.stop", &["user"]),
    ("user.deleted", &["user"]),
    ("user.presence.changed", &["user"]),
    ("user.updated", &["user"]),
    ("user.watching.start", &["user", "watcher_count"]),
    ("user.watching.stop", &["user", "watcher_count"]),
];

/// What it requires of the things in them.
const ANDROID_WITHIN: &[(&str, &[&str])] = &[
    ("user", &["id", "role", "banned", "online"]),
    ("channel", &["cid", "id", "type", "frozen", "config"]),
    ("member", &["user"]),
    (
        "message",
        &[
            "attachments",
            "cid",
            "created_at",
            "deleted_reply_count",
            "html",
            "id",
            "latest_reactions",
            "mentioned_users",
            "own_reactions",
            "reply_count",
            "silent",
            "text",
            "type",
            "updated_at",
            "user",
        ],
    ),
];

#[test]
fn android_finds_in_every_event_what_it_requires() {
    for (name, required) in ANDROID {
        // What the server writes today: `golden.rs` keeps it so.
        let frame = json_file(&format!("protocol/golden/{name}.json"));
        let place: &[&str] = if name.starts_with("user.") && !name.contains("watching") {
            &[]
        } else {
            &["cid", "channel_type", "channel_id"]
        };
        for field in required.iter().chain(place).chain(&["type", "created_at"]) {
            assert!(!frame[field].is_null(), "{name} has no {field}");
        }
        for (thing, required) in ANDROID_WITHIN.iter().filter(|(thing, _)| !frame[thing].is_null()) {
            for field in *required {
                assert!(!frame[thing][field].is_null(), "the {thing} of {name} has no {field}");
            }
        }
    }
}

#[tokio::test]
async fn android_is_anonymous_without_a_token() {
    let server = TestServer::start().await;
    let json = json!({ "user_id": "anon", "user_details": { "id": "anon" }, "server_determines_connection_id": true });
    let mut socket = connect(&server, json, &[("stream-auth-type", "anonymous")], &[]).await;
    assert_eq!(next_frame(&mut socket).await["me"]["id"], "!anon");
}

#[tokio::test]
async fn unity_sends_one_health_check() {
    let server = TestServer::start().await;
    let token = user_token("jim");
    let json = json!({
        "user_id": "jim", "user_details": { "id": "jim" }, "user_token": token,
        "server_determines_connection_id": true,
    });
    let query = [("authorization", &*token), ("stream-auth-type", "jwt")];
    let socket = connect(&server, json, &query, &[]).await;
    is_served(socket, |_| Message::text(r#"{"type":"health.check"}"#)).await;
}

#[tokio::test]
async fn unreal_offers_a_protocol_sends_nothing_and_reads_errors_without_a_type() {
    let server = TestServer::start().await;
    let json = json!({ "user_id": "jim", "user_details": { "id": "jim", "invisible": false } });
    let token = user_token("jim");
    let client = ("X-Stream-Client", "stream-chat-unreal-client");
    let protocol = [("sec-websocket-protocol", "wss")];
    let socket = connect(&server, json.clone(), &[("authorization", &token), client], &protocol).await;
    is_served(socket, |_| Message::text("")).await;

    let mut refused = connect(&server, json, &[("authorization", "nonsense"), client], &protocol).await;
    let frame = next_frame(&mut refused).await;
    assert!(frame.get("type").is_none(), "{frame}");
    assert_eq!(frame["error"]["code"], 5);
    assert_eq!(close_code(&mut refused).await, Some(1000));
}

#[tokio::test]
async fn a_stray_bearer_is_not_in_the_way() {
    let server = TestServer::start().await;
    let json = json!({ "user_id": "jim", "user_details": { "id": "jim" } });
    let token = format!("Bearer {}", user_token("jim"));
    let socket = connect(&server, json, &[], &[("authorization", &token)]).await;
    is_served(socket, |_| Message::text("")).await;
}
