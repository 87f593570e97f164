//! Everybody comes at once, or does not read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::time::{Duration, Instant};

use clap::Parser;
use common::person::{Socket, next_frame, open};
use common::{KEY, SECRET, TestServer, user_token};
use futures_util::StreamExt;
use futures_util::future::select;
use reqwest::StatusCode;
use rollcall_server::auth::{ANONYMOUS, Issued};
use rollcall_server::config::Config;
use rollcall_server::hub::{Hub, Inbox, Membership, Origin};
use rollcall_server::server::Server;
use serde_json::{Value, json};
use sqlx::{Connection, Executor};
use tokio_tungstenite::tungstenite::Message;

async fn arrives(server: &TestServer, user: &str) -> Socket {
    let greeting = json!({ "user_id": user, "user_details": { "id": user } }).to_string();
    open(server, &[("json", greeting), ("authorization", user_token(user))]).await
}

/// Greeted, or with which code told to come back; then the reason says when.
async fn outcome(socket: &mut Socket) -> Result<(), u16> {
    match socket.next().await {
        Some(Ok(Message::Text(_))) => Ok(()),
        Some(Ok(Message::Close(Some(frame)))) => {
            let seconds =
                frame.reason.strip_prefix("the server is busy: retry after ").and_then(|s| s.strip_suffix(" s"));
            let seconds: u32 = seconds.expect(&frame.reason).parse().unwrap();
            assert!((1..=8).contains(&seconds), "{}", frame.reason);
            Err(frame.code.into())
        }
        other => panic!("neither greeted nor told to come back: {other:?}"),
    }
}

#[tokio::test]
async fn who_has_waited_too_long_for_a_turn_is_told_to_come_back() {
    let server = TestServer::with(&["--connects-at-once", "1", "--connect-patience", "50ms"]).await;
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(server.database());
    let mut backup = sqlx::SqliteConnection::connect_with(&file).await.unwrap();
    backup.execute("BEGIN IMMEDIATE").await.unwrap();
    // Whoever has the turn waits for the database.
    let (mut ada, mut bob) = tokio::join!(arrives(&server, "ada"), arrives(&server, "bob"));
    let (first, waiting) = select(Box::pin(outcome(&mut ada)), Box::pin(outcome(&mut bob))).await.factor_first();
    assert_eq!(first, Err(1013));
    backup.execute("ROLLBACK").await.unwrap();
    assert_eq!(waiting.await, Ok(()));
    let mut again = arrives(&server, "eve").await;
    assert_eq!(outcome(&mut again).await, Ok(()));
}

/// How long the fastest of some hundreds of strangers takes to arrive and watch a channel.
async fn a_strangers_arrival(hub: &Hub, here: &mut Vec<(Membership, Inbox)>) -> Duration {
    let mut fastest = Duration::MAX;
    for _ in 0..300 {
        let began = Instant::now();
        let arrived = hub.connect(&ANONYMOUS.into(), true, Origin::default(), Issued::Unsigned).unwrap();
        hub.watch_channels(arrived.0.id(), &["livestream:show".into()]).await.unwrap();
        fastest = fastest.min(began.elapsed());
        here.push(arrived);
    }
    fastest
}

#[tokio::test]
async fn a_stranger_costs_as_much_among_thousands_as_alone() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("rollcall.db").display());
    let flags = ["rollcall-server", "--api-secret", SECRET, "--database", &database, "--anonymous-connections", "0"];
    let app = Server::assemble(Config::parse_from(flags)).await.unwrap();
    let mut here = Vec::new();
    let few = a_strangers_arrival(&app.hub, &mut here).await;
    while here.len() < 10_000 {
        here.push(app.hub.connect(&ANONYMOUS.into(), true, Origin::default(), Issued::Unsigned).unwrap());
    }
    let many = a_strangers_arrival(&app.hub, &mut here).await;
    // Looking at each of the others would be dozens of times as much.
    assert!(many < few * 5, "{many:?} among thousands, {few:?} among few");
}

#[tokio::test]
async fn a_full_server_says_come_back() {
    let server = TestServer::with(&["--connections", "1"]).await;
    let ada = server.connect("ada").await;
    let mut bob = arrives(&server, "bob").await;
    assert_eq!(outcome(&mut bob).await, Err(1013));
    let greeting = json!({ "user_id": "bob", "user_details": { "id": "bob" } }).to_string();
    let path = reqwest::Url::parse_with_params("http://x/longpoll", [("json", greeting)]).unwrap();
    let path = format!("/longpoll?{}", path.query().unwrap());
    let url = server.url(&format!("{path}&api_key={KEY}"));
    let refused = reqwest::Client::new().get(url).header("authorization", user_token("bob")).send().await.unwrap();
    let seconds: u32 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=8).contains(&seconds), "{seconds}");
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.json::<Value>().await.unwrap()["code"], 9);
    ada.says_goodbye().await;
    let mut bob = arrives(&server, "bob").await;
    next_frame(&mut bob).await;
}
