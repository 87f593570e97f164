//! Why somebody went offline, for those who asked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::TestServer;
use common::person::{Socket, next_frame, open};
use common::user_token;
use jiff::Timestamp;
use reqwest::Url;
use serde_json::{Value, json};

/// A watcher of `ids` who asked for these extensions.
async fn watcher(server: &TestServer, extensions: &str, ids: &[&str]) -> Socket {
    let greeting = json!({ "user_id": "ada", "user_details": { "id": "ada" } }).to_string();
    let query = [("json", greeting), ("authorization", user_token("ada")), ("rollcall", extensions.to_owned())];
    let mut socket = open(server, &query).await;
    let hello = next_frame(&mut socket).await;
    assert_eq!(hello["rollcall"], json!(extensions.split(',').collect::<Vec<_>>()));
    let connection = hello["connection_id"].as_str().unwrap().to_owned();
    let payload = json!({ "filter_conditions": { "id": { "$in": ids } }, "presence": true }).to_string();
    let query = [("api_key", common::KEY.to_owned()), ("connection_id", connection), ("payload", payload)];
    let url = Url::parse_with_params(&server.url("/users"), query).unwrap();
    let request = reqwest::Client::new().get(url).header("authorization", user_token("ada"));
    assert!(request.send().await.unwrap().status().is_success());
    socket
}

/// The next flip of somebody else, whether it comes alone or among others.
async fn flip(socket: &mut Socket) -> Value {
    loop {
        let frame = next_frame(socket).await;
        let events = match frame {
            Value::Array(events) => events,
            event => vec![event],
        };
        for event in events {
            if event["type"] == "user.presence.changed" && event["user"]["id"] != "ada" {
                return event;
            }
        }
    }
}

#[tokio::test]
async fn who_asks_learns_why_and_since_when() {
    let server = TestServer::with(&["--offline-grace", "50ms", "--page-grace", "50ms"]).await;
    server.knows(&["bob"]).await;
    for extensions in ["reason", "batch,reason"] {
        let mut ada = watcher(&server, extensions, &["bob"]).await;
        let mut last = 0;
        for ending in ["closed", "left", "lost"] {
            let bob = server.connect("bob").await;
            let came = flip(&mut ada).await;
            assert_eq!(came["user"]["online"], true);
            assert!(came.get("reason").is_none() && came.get("last_heard_at").is_none(), "{came}");
            match ending {
                "closed" => bob.says_goodbye().await,
                "left" => drop(bob.closes_with(1001.into()).await),
                _ => bob.vanishes(),
            }
            let went = flip(&mut ada).await;
            assert_eq!((&went["user"]["online"], &went["reason"]), (&json!(false), &json!(ending)));
            let time = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
            let heard = time(&went["last_heard_at"]);
            // Coming online counts as a sign of life too.
            assert!(heard <= time(&went["user"]["last_active"]));
            assert!(heard < time(&went["created_at"]));
            let (before, after) = (came["seq"].as_i64().unwrap(), went["seq"].as_i64().unwrap());
            assert!(last < before && before < after);
            last = after;
        }
    }
}

#[tokio::test]
async fn hiding_gives_no_other_reason_than_leaving() {
    let server = TestServer::start().await;
    let bob = server.connect("bob").await;
    let eve = server.connect("eve").await;
    let mut ada = watcher(&server, "reason", &["bob", "eve"]).await;
    let names = |event: &Value| event.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    bob.upsert(json!({ "invisible": true })).await;
    let hid = flip(&mut ada).await;
    eve.says_goodbye().await;
    let left = flip(&mut ada).await;
    assert_eq!((&hid["reason"], &left["reason"]), (&json!("closed"), &json!("closed")));
    assert_eq!(names(&hid), names(&left));
    assert_eq!(names(&hid["user"]), names(&left["user"]));
}

#[tokio::test]
async fn who_does_not_ask_sees_the_hosted_protocol() {
    let server = TestServer::start().await;
    let bob = server.connect("bob").await;
    let mut ada = watcher(&server, "batch", &["bob"]).await;
    bob.says_goodbye().await;
    let event = flip(&mut ada).await;
    for own in ["seq", "reason", "last_heard_at"] {
        assert!(event.get(own).is_none(), "{event}");
    }
}
