//! The tables of `docs/PROTOCOL.md` say what the server does: nothing more, and nothing less.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use common::document::{read, table};
use common::{TestServer, token};
use reqwest::{Method, StatusCode};
use rollcall_protocol::{ErrorCode, Reaction};
use serde_json::{Value, json};

const UNKNOWN: &str = "there is no such endpoint";

/// Nothing of these exists: it is about whether anybody answers.
fn example(path: &str) -> String {
    path.replace("{type}", "messaging").replace("{id}", "nobody").replace("{user_id}", "nobody")
}

#[tokio::test]
async fn every_endpoint_is_there_or_left_out_as_the_table_says() {
    let pages = tempfile::tempdir().unwrap();
    // Files beside the endpoints make no difference to what is not there.
    let server = TestServer::with(&["--www", pages.path().to_str().unwrap()]).await;
    let server_side = token(json!({ "server": true }));
    for row in table("Endpoints") {
        let [endpoint, status, ..] = row.as_slice() else { panic!("{row:?}") };
        let (method, path) = endpoint.split_once(' ').unwrap();
        let method: Method = method.parse().unwrap();
        let body = if method == Method::GET { Value::Null } else { json!({}) };
        let (answer, reply) = server.request(&server_side, method, &example(path), body).await;
        let unknown = reply["message"].as_str().is_some_and(|message| message.contains(UNKNOWN));
        match status.as_str() {
            "works" | "differs" | "ours" => assert!(!unknown, "{endpoint} is not there"),
            "left out" => {
                assert!(unknown, "{endpoint} is there: {reply}");
                assert_eq!((answer, &reply["code"]), (StatusCode::NOT_FOUND, &json!(16)), "{endpoint}");
            }
            other => panic!("{endpoint} {other}?"),
        }
    }
}

#[tokio::test]
async fn the_endpoints_names_are_those_of_the_rate_limits() {
    let server = TestServer::start().await;
    let limits = server.server_side(Method::GET, "/rate_limits", Value::Null).await;
    let limited: BTreeSet<String> = limits["server_side"].as_object().unwrap().keys().cloned().collect();
    let mut named: BTreeSet<String> = table("Endpoints").into_iter().map(|mut row| row.remove(2)).collect();
    // `/hi` has no name.
    assert!(named.remove(""));

    assert_eq!(named, limited);
}

#[test]
fn every_event_has_a_row_and_those_that_are_sent_a_golden_frame() {
    let source = read("protocol/src/event.rs");
    let known: BTreeSet<&str> = source.lines().filter_map(|line| line.split('"').nth(1)).collect();
    let rows = table("Events");
    let listed: BTreeSet<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(listed, known);

    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../protocol/golden");
    let frames: Vec<String> =
        fs::read_dir(golden).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    for row in &rows {
        let (name, status) = (&row[0], row[1].as_str());
        let crosses_the_wire = status != "left out" && !row[3].contains("never on the wire");
        let has_frame = frames.iter().any(|frame| frame.starts_with(&format!("{name}.")));
        assert_eq!(has_frame, crosses_the_wire, "{name}");
    }
}

#[test]
fn every_error_has_a_row() {
    let code = |code: &ErrorCode| {
        let reaction = match Reaction::to(code.number()) {
            Reaction::Stop => "stop",
            Reaction::RefreshToken => "refresh",
            Reaction::Retry => "retry",
        };
        [code.number().to_string(), code.status().to_string(), reaction.to_owned()]
    };
    let known: BTreeSet<_> = ErrorCode::ALL.iter().map(code).collect();
    let listed: BTreeSet<_> =
        table("Errors").iter().map(|row| [row[0].clone(), row[1].clone(), row[2].clone()]).collect();

    assert_eq!(listed, known);
}
