//! What people see of each other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::TestServer;
use reqwest::Method;
use rollcall_protocol::close;
use serde_json::{Value, json};

fn flip(user: &str, online: bool) -> (String, bool) {
    (user.to_owned(), online)
}

#[tokio::test]
async fn two_people_see_each_other_come_and_go() {
    let server = TestServer::start().await;
    let mut ada = server.connect("ada").await;
    server.knows(&["bob"]).await;
    let users = ada.watch_users(&["bob"]).await;
    assert_eq!(users[0]["online"], false);
    assert!(users[0].get("last_active").is_none(), "bob was never here");

    let mut bob = server.connect("bob").await;
    assert_eq!(ada.sees().await, flip("bob", true));
    let users = bob.watch_users(&["ada", "bob"]).await;
    assert_eq!(users[0]["online"], true);
    assert_eq!(users[1]["online"], true);
    assert!(users[0]["last_active"].is_string());

    ada.says_goodbye().await;
    assert_eq!(bob.sees().await, flip("ada", false));
    let users = bob.watch_users(&["ada"]).await;
    assert_eq!(users[0]["online"], false);
}

#[tokio::test]
async fn who_is_greeted_is_online_for_everybody_since_a_time_that_can_be_read() {
    let server = TestServer::start().await;
    for name in ["ada", "bob", "cyd", "dan"] {
        let greeted = server.connect(name).await;
        let user = server.user(name).await;
        assert_eq!(user["online"], true);
        assert!(user["last_active"].is_string(), "{user}");
        assert_eq!(user["last_active"], greeted.me["last_active"]);
    }
}

#[tokio::test]
async fn a_change_beside_a_query_is_in_its_reply_or_is_told() {
    let server = TestServer::with(&["--user-requests-per-minute", "0"]).await;
    // Who take the query a while, so that much can happen beside it.
    let names: Vec<_> = (0..99).map(|place| format!("crowd-{place}")).chain(["bob".to_owned()]).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    server.knows(&names).await;
    let mut eve = server.connect("eve").await;
    eve.watch_users(&["bob"]).await;
    let counts = async {
        for count in 0_u64.. {
            let change = json!({ "users": { "bob": { "id": "bob", "count": count } } });
            server.server_side(Method::POST, "/users", change).await;
            // What is told of a change is how the user stands then, and the next is not to be in it.
            eve.hears("user.updated").await;
        }
    };
    let count = |user: &Value| user["count"].as_u64().unwrap_or_default();
    let asks = async {
        for _ in 0..200 {
            let mut ada = server.connect("ada").await;
            let shown = ada.watch_users(&names).await;
            let told = ada.hears("user.updated").await;
            assert!(count(&told["user"]) <= count(&shown[0]) + 1, "{} and then {told}", shown[0]);
        }
    };
    tokio::select! {
        () = counts => {}
        () = asks => {}
    }
}

#[tokio::test]
async fn what_a_reply_has_shown_is_not_told_again() {
    let server = TestServer::with(&["--flaps-per-minute", "0"]).await;
    server.knows(&["bob"]).await;
    for _ in 0..5 {
        let mut saw_him_come = server.connect("ada").await;
        let mut saw_him_hide = server.connect("cyd").await;
        let mut saw_him_back = server.connect("dan").await;
        let mut saw_him_gone = server.connect("eve").await;
        let bob = server.connect("bob").await;
        assert_eq!(saw_him_come.watch_users(&["bob"]).await[0]["online"], true);
        bob.upsert(json!({ "invisible": true })).await;
        assert_eq!(saw_him_hide.watch_users(&["bob"]).await[0]["online"], false);
        bob.upsert(json!({ "invisible": false })).await;
        assert_eq!(saw_him_back.watch_users(&["bob"]).await[0]["online"], true);
        bob.says_goodbye().await;
        assert_eq!(saw_him_gone.watch_users(&["bob"]).await[0]["online"], false);

        let flips = |events: Vec<Value>| -> Vec<bool> {
            let flips = events.iter().filter(|event| event["type"] == "user.presence.changed");
            flips.map(|event| event["user"]["online"].as_bool().unwrap()).collect()
        };
        assert_eq!(flips(saw_him_come.heard_so_far().await), [false, true, false]);
        assert_eq!(flips(saw_him_hide.heard_so_far().await), [true, false]);
        assert_eq!(flips(saw_him_back.heard_so_far().await), [false]);
        assert!(flips(saw_him_gone.heard_so_far().await).is_empty());
    }
}

#[tokio::test]
async fn a_flip_tells_the_whole_public_user_and_no_channel() {
    let server = TestServer::start().await;
    server.knows(&["bob"]).await;
    let mut ada = server.connect("ada").await;
    ada.watch_users(&["bob"]).await;
    let details = json!({ "id": "bob", "name": "Bob", "status": "Eating a veggie burger...", "invisible": false });
    ada.heard_so_far().await;
    server.connect_as(details).await;
    let event = ada.hears("user.presence.changed").await;
    let user = &event["user"];
    assert_eq!(user["name"], "Bob");
    assert_eq!(user["status"], "Eating a veggie burger...");
    assert_eq!(user["role"], "user");
    for present in ["created_at", "updated_at", "last_active"] {
        assert!(user[present].is_string(), "{present} in {event}");
    }
    for absent in ["cid", "channel_type", "channel_id"] {
        assert!(event.get(absent).is_none(), "{absent} in {event}");
    }
    for own in ["invisible", "devices", "mutes", "channel_mutes", "total_unread_count", "privacy_settings"] {
        assert!(user.get(own).is_none(), "{own} leaked in {event}");
    }
}

#[tokio::test]
async fn my_own_presence_is_told_to_me_on_every_device() {
    let server = TestServer::start().await;
    let mut phone = server.connect("ada").await;
    assert_eq!(phone.hears("user.presence.changed").await["user"]["online"], true);
    let mut laptop = server.connect("ada").await;
    phone.upsert(json!({ "invisible": true })).await;
    assert_eq!(phone.hears("user.presence.changed").await["user"]["online"], false);
    assert_eq!(laptop.hears("user.presence.changed").await["user"]["online"], false);
}

#[tokio::test]
async fn a_reload_within_the_grace_shows_nothing() {
    let server = TestServer::with(&["--offline-grace", "1h", "--page-grace", "1h"]).await;
    let mut ada = server.connect("ada").await;
    let mut bob = server.connect("bob").await;
    ada.watch_users(&["bob"]).await;
    ada.heard_so_far().await;
    // What a browser says of a page that is gone, and what our client says while it is going.
    for code in [close::GOING_AWAY, close::PAGE_LEFT] {
        assert_eq!(bob.closes_with(code.into()).await, Some(code));
        bob = server.connect("bob").await;
    }
    bob.vanishes();
    server.connect("bob").await;
    assert_eq!(ada.heard_so_far().await, Vec::<Value>::new());
}

#[tokio::test]
async fn who_is_lost_or_has_left_the_page_counts_as_gone_after_the_grace() {
    let server = TestServer::with(&["--offline-grace", "50ms"]).await;
    let mut ada = server.connect("ada").await;
    let bob = server.connect("bob").await;
    ada.watch_users(&["bob"]).await;
    ada.heard_so_far().await;
    bob.vanishes();
    assert_eq!(ada.sees().await, flip("bob", false));

    let bob = server.connect("bob").await;
    assert_eq!(ada.sees().await, flip("bob", true));
    bob.closes_with(close::PAGE_LEFT.into()).await;
    assert_eq!(ada.sees().await, flip("bob", false));
}

#[tokio::test]
async fn how_a_connection_ends_says_how_long_it_counts() {
    let server = TestServer::with(&["--offline-grace", "1h", "--page-grace", "50ms"]).await;
    let mut ada = server.connect("ada").await;
    let [bob, cyd, dan, eve] = ["bob", "cyd", "dan", "eve"].map(|name| server.connect(name));
    let (bob, cyd, dan, eve) = tokio::join!(bob, cyd, dan, eve);
    ada.watch_users(&["bob", "cyd", "dan", "eve"]).await;
    ada.heard_so_far().await;

    eve.vanishes();
    dan.closes_with(4000.into()).await;
    cyd.closes_with(4001.into()).await;
    assert_eq!(ada.sees().await, flip("cyd", false));
    bob.closes_with(1001.into()).await;
    assert_eq!(ada.sees().await, flip("bob", false));
    assert_eq!(ada.heard_so_far().await, Vec::<Value>::new());
}

#[tokio::test]
async fn who_comes_and_goes_all_the_time_is_shown_once_they_stay() {
    let server = TestServer::with(&["--flaps-per-minute", "2", "--flap-hold", "200ms"]).await;
    let mut ada = server.connect("ada").await;
    server.knows(&["bob"]).await;
    ada.watch_users(&["bob"]).await;
    for _ in 0..3 {
        server.connect("bob").await.says_goodbye().await;
        assert_eq!(ada.sees().await, flip("bob", true));
        assert_eq!(ada.sees().await, flip("bob", false));
    }
    server.connect("bob").await.says_goodbye().await;
    assert_eq!(ada.heard_so_far().await, Vec::<Value>::new());
    let open = json!({ "data": { "members": ["ada", "bob"] }, "state": true, "watch": true });
    ada.call(Method::POST, "/channels/messaging/tea/query", open.clone()).await;
    let bob = server.connect("bob").await;
    let state = bob.call(Method::POST, "/channels/messaging/tea/query", open).await;
    assert_eq!((&state["watcher_count"], &bob.me["online"]), (&json!(1), &json!(true)));
    assert_eq!(ada.sees().await, flip("bob", true));
    assert_eq!(ada.hears("user.watching.start").await["watcher_count"], 2);
}

#[tokio::test]
async fn the_second_tab_and_its_end_are_silent() {
    let server = TestServer::start().await;
    let mut ada = server.connect("ada").await;
    let first = server.connect("bob").await;
    ada.watch_users(&["bob"]).await;
    ada.heard_so_far().await;
    let second = server.connect("bob").await;
    first.says_goodbye().await;
    assert_eq!(ada.heard_so_far().await, Vec::<Value>::new());
    second.says_goodbye().await;
    assert_eq!(ada.sees().await, flip("bob", false));
}

#[tokio::test]
async fn a_change_of_status_arrives_at_once_and_touches_nothing_else() {
    let server = TestServer::start().await;
    let mut ada = server.connect("ada").await;
    let bob = server.connect_as(json!({ "id": "bob", "name": "Bob" })).await;
    ada.watch_users(&["bob"]).await;
    ada.heard_so_far().await;
    bob.upsert(json!({ "status": "In a meeting" })).await;
    let event = ada.hears("user.updated").await;
    assert_eq!(event["user"]["status"], "In a meeting");
    assert_eq!(event["user"]["name"], "Bob");
    assert_eq!(event["user"]["online"], true);
    assert_eq!(ada.heard_so_far().await, Vec::<Value>::new());
}

#[tokio::test]
async fn going_invisible_looks_exactly_like_leaving() {
    let server = TestServer::start().await;
    let mut ada = server.connect("ada").await;
    let bob = server.connect("bob").await;
    let eve = server.connect("eve").await;
    ada.watch_users(&["bob", "eve"]).await;
    ada.heard_so_far().await;

    bob.upsert(json!({ "invisible": true })).await;
    let hidden = ada.heard_so_far().await;
    eve.says_goodbye().await;
    let left = ada.heard_so_far().await;
    assert_eq!(anonymised(&hidden), anonymised(&left));

    bob.upsert(json!({ "invisible": false })).await;
    let back = ada.heard_so_far().await;
    server.connect("eve").await;
    let came = ada.heard_so_far().await;
    assert_eq!(anonymised(&back), anonymised(&came));
}

/// Events with everything replaced that differs between any two people.
fn anonymised(events: &[Value]) -> Vec<Value> {
    fn erase(value: &mut Value) {
        let Value::Object(fields) = value else { return };
        for (key, value) in fields {
            match key.as_str() {
                "id" | "created_at" | "updated_at" | "last_active" => *value = "…".into(),
                _ => erase(value),
            }
        }
    }
    let mut events = events.to_vec();
    events.iter_mut().for_each(erase);
    events
}

#[tokio::test]
async fn who_connects_invisible_is_never_announced_and_stays_so() {
    let server = TestServer::start().await;
    server.knows(&["bob"]).await;
    let mut ada = server.connect("ada").await;
    ada.watch_users(&["bob"]).await;
    let bob = server.connect_as(json!({ "id": "bob", "invisible": true })).await;
    assert_eq!(bob.me["invisible"], true);
    assert_eq!(bob.me["online"], true, "their own view");
    bob.says_goodbye().await;
    let bob = server.connect("bob").await;
    assert_eq!(bob.me["invisible"], true, "an id-only reconnect does not clear it");
    assert_eq!(ada.heard_so_far().await, Vec::<Value>::new());
    let users = ada.watch_users(&["bob"]).await;
    assert_eq!(users[0]["online"], false);
    assert!(users[0].get("last_active").is_none());
    assert!(users[0].get("invisible").is_none());

    bob.upsert(json!({ "invisible": false })).await;
    assert_eq!(ada.sees().await, flip("bob", true));
}

#[tokio::test]
async fn invisibility_survives_a_restart_and_nobody_else_is_online_after_it() {
    let server = TestServer::with(&["--offline-grace", "0s"]).await;
    let _bob = server.connect_as(json!({ "id": "bob", "invisible": true, "status": "Hiding" })).await;
    let _eve = server.connect_as(json!({ "id": "eve", "status": "Here" })).await;
    let server = server.restart().await;
    let ada = server.connect("ada").await;
    let users = ada.watch_users(&["bob", "eve"]).await;
    assert_eq!((&users[0]["online"], &users[0]["status"]), (&json!(false), &json!("Hiding")));
    assert_eq!((&users[1]["online"], &users[1]["status"]), (&json!(false), &json!("Here")));
    let bob = server.connect("bob").await;
    assert_eq!(bob.me["invisible"], true);
}

#[tokio::test]
async fn a_shutdown_remembers_who_was_there_until_then() {
    let server = TestServer::with(&["--offline-grace", "0s"]).await;
    let bob = server.connect("bob").await;
    let since = bob.me["last_active"].as_str().unwrap().to_owned();
    let server = server.restart().await;
    let ada = server.connect("ada").await;
    let users = ada.watch_users(&["bob"]).await;
    assert_eq!(users[0]["online"], false);
    assert!(users[0]["last_active"].as_str().unwrap() > since.as_str(), "{users:?}");
}

#[tokio::test]
async fn there_are_three_ways_to_watch() {
    let server = TestServer::start().await;
    server.connect("bob").await.says_goodbye().await;
    let mut by_users = server.connect("ann").await;
    let mut by_channel = server.connect("ben").await;
    let mut by_channels = server.connect("cid").await;

    by_users.watch_users(&["bob"]).await;
    let open = json!({ "data": { "members": ["ben", "cid", "bob"] }, "state": true, "watch": true, "presence": true });
    let state = by_channel.call(Method::POST, "/channels/messaging/lunch/query", open).await;
    assert_eq!(state["members"].as_array().unwrap().len(), 3);
    let query = json!({ "filter_conditions": { "members": { "$in": ["cid"] } }, "watch": true, "presence": true });
    let found = by_channels.call(Method::POST, "/channels", query).await;
    assert_eq!(found["channels"][0]["channel"]["cid"], "messaging:lunch");

    let bob = server.connect("bob").await;
    for watcher in [&mut by_users, &mut by_channel, &mut by_channels] {
        watcher.sees_at_last(&flip("bob", true)).await;
    }
    bob.says_goodbye().await;
    for watcher in [&mut by_users, &mut by_channel, &mut by_channels] {
        watcher.sees_at_last(&flip("bob", false)).await;
    }
}

#[tokio::test]
async fn who_does_not_watch_hears_nothing() {
    let server = TestServer::start().await;
    let mut ada = server.connect("ada").await;
    ada.heard_so_far().await;
    let bob = server.connect("bob").await;
    bob.upsert(json!({ "status": "Here" })).await;
    bob.says_goodbye().await;
    assert_eq!(ada.heard_so_far().await, Vec::<Value>::new());
}

#[tokio::test]
async fn while_the_database_lets_nobody_write_a_query_is_answered_and_no_flip_is_lost() {
    use sqlx::{Connection, Executor};
    let server = TestServer::start().await;
    let mut ada = server.connect("ada").await;
    let bob = server.connect("bob").await;
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(server.database());
    let mut backup = sqlx::SqliteConnection::connect_with(&file).await.unwrap();
    backup.execute("BEGIN IMMEDIATE").await.unwrap();
    bob.says_goodbye().await;
    // The flip waits for the database. What is asked does not: an SDK gives up after 3 seconds.
    let asked = std::time::Instant::now();
    let users = ada.watch_users(&["bob"]).await;
    assert!(asked.elapsed() < std::time::Duration::from_secs(3));
    assert_eq!(users[0]["online"], false);
    backup.execute("ROLLBACK").await.unwrap();
    assert_eq!(ada.sees().await, flip("bob", false));
}
