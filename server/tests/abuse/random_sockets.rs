//! Whatever a socket is opened with and whatever is sent over it, it gets an answer or an end,
//! and the server serves the next one.

use std::time::Duration;

use crate::common::person::{next_frame, open};
use crate::common::{TestServer, user_token};
use futures_util::{SinkExt, StreamExt};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from("health.check")),
        Just(Value::from("ada")),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let key = prop_oneof![
            Just("type".to_owned()),
            Just("user_id".to_owned()),
            Just("user_details".to_owned()),
            Just("id".to_owned()),
            Just("invisible".to_owned()),
            Just("user_token".to_owned()),
            ".{0,6}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// What the `json` parameter says: a proper greeting with something odd in it, or just anything.
fn greeting() -> impl Strategy<Value = String> {
    prop_oneof![
        (prop::collection::btree_map(".{0,8}", json_value(), 0..5), json_value()).prop_map(|(fields, odd)| {
            let mut details: serde_json::Map<_, _> = fields.into_iter().collect();
            details.insert("id".to_owned(), "ada".into());
            json!({ "user_id": "ada", "user_details": details, "device": odd }).to_string()
        }),
        json_value().prop_map(|value| value.to_string()),
        ".{0,40}",
    ]
}

fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(user_token("ada")),
        1 => ".{0,40}",
        1 => r"[\w-]{0,20}\.[\w-]{0,20}\.[\w-]{0,20}",
    ]
}

fn frame() -> impl Strategy<Value = Message> {
    prop_oneof![
        json_value().prop_map(|value| Message::text(value.to_string())),
        ".{0,60}".prop_map(Message::text),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(Message::binary),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(|bytes| Message::Ping(bytes.into())),
        Just(Message::text("[".repeat(10_000))),
        Just(Message::text("x".repeat(100_000))),
    ]
}

#[test]
fn noise_gets_an_answer_or_an_end() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(TestServer::with(&["--connections-per-user", "0"]));
    let case = (greeting(), token(), prop::collection::vec(frame(), 0..8));
    let config = Config { cases: 128, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&case, |(json, token, frames)| {
        runtime.block_on(async {
            let mut socket = open(&server, &[("json", json), ("authorization", token)]).await;
            let first = next_frame(&mut socket).await;
            if first.get("error").is_some() {
                let code = first["error"]["code"].as_i64().unwrap();
                prop_assert!([4, 5, 43].contains(&code), "{}", first);
                return Ok(());
            }
            for frame in frames {
                if socket.send(frame).await.is_err() {
                    break;
                }
            }
            // The server answers this, unless it ended the connection for a frame too large.
            let _ = socket.send(Message::Ping("still there?".into())).await;
            let answered = async {
                loop {
                    match socket.next().await {
                        Some(Ok(Message::Pong(payload))) if payload == "still there?" => break,
                        Some(Ok(_)) => {}
                        Some(Err(_)) | None => break,
                    }
                }
            };
            prop_assert!(tokio::time::timeout(Duration::from_secs(10), answered).await.is_ok(), "no answer and no end");
            Ok(())
        })
    });
    outcome.unwrap();
    runtime.block_on(server.connect("bob"));
}
