//! What an operator reads off `/metrics`: who is online, how many watch, how far behind, how many
//! flaps, how long from flip to delivery.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::collections::BTreeMap;
use std::pin::pin;

use common::binary::hello;
use common::document::table_of;
use common::person::{close_code, next_frame, open};
use common::scrape::Scrape;
use common::{TestServer, user_token};
use futures_util::future;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use sqlx::{Connection, Executor};

/// A connection for networks that let no socket through.
async fn polls(server: &TestServer, user: &str) -> String {
    let greeting = json!({ "user_id": user, "user_details": { "id": user } }).to_string();
    let url = Url::parse_with_params("http://x/longpoll", [("json", greeting)]).unwrap();
    let path = format!("/longpoll?{}", url.query().unwrap());
    let (status, reply) = server.request(&user_token(user), Method::GET, &path, Value::Null).await;
    assert!(status.is_success(), "{reply}");
    reply["event"]["connection_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn people_come_and_watch_and_go() {
    let server = TestServer::start().await;
    server.knows(&["bob", "carol"]).await;
    let mut ada = server.connect("ada").await;
    let eve = polls(&server, "eve").await;
    let _hidden = server.connect_as(json!({ "id": "shy", "invisible": true })).await;
    let now = Scrape::of(&server).await;
    assert_eq!(now.get("rollcall_online_users"), 2.0);
    assert_eq!(now.get(r#"rollcall_connections{transport="websocket"}"#), 2.0);
    assert_eq!(now.get(r#"rollcall_connections{transport="longpoll"}"#), 1.0);
    assert_eq!(now.get("rollcall_watching_connections"), 0.0);

    ada.watch_users(&["bob", "carol"]).await;
    let open = json!({ "data": { "members": ["ada", "bob"] }, "watch": true, "presence": true, "state": true });
    ada.call(Method::POST, "/channels/messaging/tea/query", open).await;
    let now = Scrape::of(&server).await;
    assert_eq!(now.get("rollcall_watching_connections"), 1.0);
    assert_eq!(now.get("rollcall_watched_users"), 3.0);
    assert_eq!(now.get("rollcall_watched_channels"), 1.0);
    assert_eq!(now.get("rollcall_presence_subscriptions"), 4.0);

    let told = now.get("rollcall_presence_delivery_seconds_count");
    let bob = server.connect("bob").await;
    assert_eq!(ada.sees().await, ("bob".to_owned(), true));
    bob.says_goodbye().await;
    assert_eq!(ada.sees().await, ("bob".to_owned(), false));
    // To ada twice, and once to bob himself.
    let now = Scrape::until(&server, |now| now.get("rollcall_presence_delivery_seconds_count") >= told + 3.0).await;
    let took = now.get("rollcall_presence_delivery_seconds_sum");
    assert!(took > 0.0 && took < 60.0, "{took} s");
    assert_eq!(now.get(r#"rollcall_presence_flips_total{to="online"}"#), 3.0);
    assert_eq!(now.get(r#"rollcall_presence_flips_total{to="offline"}"#), 1.0);
    assert_eq!(now.get("rollcall_flaps_held_back_total"), 0.0);
    Scrape::until(&server, |now| now.get("rollcall_untold_changes") == 0.0).await;

    let bye = format!("/longpoll?close=true&connection_id={eve}");
    server.request(&user_token("eve"), Method::GET, &bye, Value::Null).await;
    ada.says_goodbye().await;
    Scrape::until(&server, |now| {
        now.get("rollcall_online_users") == 0.0
            && now.get("rollcall_watching_connections") == 0.0
            && now.get("rollcall_watched_users") == 0.0
            && now.get("rollcall_watched_channels") == 0.0
            && now.get(r#"rollcall_connections{transport="websocket"}"#) == 1.0
            && now.get(r#"rollcall_connections{transport="longpoll"}"#) == 0.0
    })
    .await;
}

#[tokio::test]
async fn who_comes_and_goes_all_the_time_is_counted() {
    let server = TestServer::with(&["--flaps-per-minute", "1", "--flap-hold", "1h"]).await;
    for _ in 0..4 {
        server.connect("ada").await.says_goodbye().await;
    }
    let now = Scrape::until(&server, |now| now.get(r#"rollcall_connections{transport="websocket"}"#) == 0.0).await;
    assert_eq!(now.get(r#"rollcall_presence_flips_total{to="online"}"#), 2.0);
    assert_eq!(now.get("rollcall_flaps_held_back_total"), 2.0);
}

#[tokio::test]
async fn who_is_not_let_in_is_counted_by_the_limit() {
    let flags = ["--connections", "2", "--connections-per-user", "1", "--anonymous-connections", "1"];
    let flags = [&flags[..], &["--connects-at-once", "1"]].concat();
    let server = TestServer::with(&[&flags[..], &["--connect-patience", "50ms"]].concat()).await;
    let turned_away = async || {
        let now = Scrape::of(&server).await;
        ["connections", "connections-per-user", "connect-patience", "anonymous-connections"]
            .map(|limit| now.get(&format!("rollcall_connections_turned_away_total{{limit=\"{limit}\"}}")))
    };
    let arrives = async |user: &str| close_code(&mut open(&server, &hello(user)).await).await;
    let ada = server.connect("ada").await;
    assert_eq!(arrives("ada").await, Some(1000));
    assert_eq!(turned_away().await, [0.0, 1.0, 0.0, 0.0]);
    let bob = server.connect("bob").await;
    assert_eq!(arrives("eve").await, Some(1013));
    assert_eq!(turned_away().await, [1.0, 1.0, 0.0, 0.0]);
    bob.says_goodbye().await;
    let nobody = [("stream-auth-type", "anonymous".to_owned())];
    let mut first = open(&server, &nobody).await;
    assert_eq!(next_frame(&mut first).await["me"]["id"], "!anon");
    ada.says_goodbye().await;
    assert_eq!(close_code(&mut open(&server, &nobody).await).await, Some(1013));
    assert_eq!(turned_away().await, [1.0, 1.0, 0.0, 1.0]);
    drop(first);

    // Whoever has the one turn waits for the database.
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(server.database());
    let mut backup = sqlx::SqliteConnection::connect_with(&file).await.unwrap();
    backup.execute("BEGIN IMMEDIATE").await.unwrap();
    let mut cy = open(&server, &hello("cy")).await;
    let mut dan = open(&server, &hello("dan")).await;
    let (cy, dan) = (pin!(close_code(&mut cy)), pin!(close_code(&mut dan)));
    assert_eq!(future::select(cy, dan).await.factor_first().0, Some(1013));
    backup.execute("ROLLBACK").await.unwrap();
    assert_eq!(turned_away().await, [1.0, 1.0, 1.0, 1.0]);
}

/// While nothing can be stored nothing is told, and it shows at once.
#[tokio::test]
async fn what_waits_for_the_database_is_counted() {
    let server = TestServer::with(&["--offline-grace", "0s"]).await;
    let ada = server.connect("ada").await;
    Scrape::until(&server, |now| now.get("rollcall_untold_changes") == 0.0).await;
    server.break_database().await;
    ada.vanishes();
    let stuck = Scrape::until(&server, |now| now.get("rollcall_untold_changes") > 0.0).await;
    assert_eq!(stuck.get("rollcall_online_users"), 0.0);
}

#[tokio::test]
async fn the_page_for_operators_lists_every_metric() {
    let server = TestServer::start().await;
    let scrape = Scrape::of(&server).await;
    let known: BTreeMap<_, _> = scrape.metrics.into_iter().map(|(name, metric)| (name, metric.kind)).collect();
    let rows = table_of("docs/OPERATIONS.md", "Metrics");
    let listed: BTreeMap<_, _> = rows.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    assert_eq!(listed, known);
}
