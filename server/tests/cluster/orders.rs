//! What is decided on a server that is cut off from Redis: it is done there once, and elsewhere when the server is
//! back, unless it was undone meanwhile.

use reqwest::Method;
use serde_json::{Value, json};

use crate::Cluster;
use crate::common::proxy::Proxy;
use crate::common::{Person, TestServer};
use crate::faults::{until, until_ready};
use crate::stories::is_online;

const FLAGS: [&str; 2] = ["--node-lease", "1s"];
/// Seconds since tokens were issued that are revoked, and since when.
const OLD: i64 = 120;
const REVOKED: i64 = 60;

/// Two nodes, and the way of the second one to Redis.
async fn nodes(cluster: &Cluster) -> (TestServer, TestServer, Proxy) {
    let way = Proxy::before(&cluster.redis.url()).await;
    let b = TestServer::node(&cluster.database, &way.url(), &FLAGS).await;
    (cluster.node_with(&FLAGS).await, b, way)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_with_a_new_token_after_a_revocation_stays_though_redis_is_away() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b, way) = nodes(&cluster).await;
    let (ada, carl) = (Person::connect_with_token_of(&b, "ada", OLD), Person::connect_with_token_of(&a, "carl", OLD));
    let (ada, carl) = (ada.await, carl.await);
    let mut bob = Person::connect_with_token_of(&a, "bob", 0).await;
    assert_eq!(is_online(&bob.watch_users(&["bob"]).await), [true]);

    way.cut();
    until_ready(&b, 503).await;
    let before = rollcall_server::store::now() - std::time::Duration::from_secs(REVOKED as u64);
    b.server_side(Method::PATCH, "/app", json!({ "revoke_tokens_issued_before": before })).await;
    assert_eq!(ada.hears_close().await, Some(1012));
    let mut ada = Person::connect_with_token_of(&b, "ada", 0).await;
    ada.upsert(json!({ "status": "back again" })).await;
    let _eve = Person::connect_with_token_of(&b, "eve", 0).await;
    assert_eq!(ada.heard_so_far().await, [] as [Value; 0]);

    way.mend_for_new();
    assert_eq!(carl.hears_close().await, Some(1012));
    until_ready(&b, 200).await;
    for person in [&mut ada, &mut bob] {
        assert_eq!(person.heard_so_far().await, [] as [Value; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_undone_while_redis_was_away_is_not_done_again() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b, way) = nodes(&cluster).await;
    let (ada, mut bob, mut dan) = (a.connect("ada").await, b.connect("bob").await, a.connect("dan").await);
    let gus = b.connect("gus").await;
    let board = "/channels/messaging/board";
    let query = |body: Value| (Method::POST, format!("{board}/query"), body);
    let (method, path, made) = query(json!({ "data": { "members": ["ada", "bob", "dan"] } }));
    ada.call(method, &path, made).await;
    let watches = async |person: &Person| {
        let (method, path, watch) = query(json!({ "watch": true, "state": true }));
        person.call(method, &path, watch).await
    };
    watches(&bob).await;
    watches(&dan).await;

    way.cut();
    until_ready(&b, 503).await;
    for change in [json!({ "remove_members": ["bob", "dan"] }), json!({ "add_members": ["bob"] })] {
        b.server_side(Method::POST, board, change).await;
    }
    watches(&bob).await;
    b.server_side(Method::POST, "/users/gus/deactivate", json!({})).await;
    assert_eq!(gus.hears_close().await, Some(1008));
    b.server_side(Method::POST, "/users/gus/reactivate", json!({})).await;
    let mut phones = [a.connect("gus").await, b.connect("gus").await];

    way.mend_for_new();
    until_ready(&b, 200).await;
    until(async || {
        let (method, path, look) = query(json!({ "state": true, "watchers": { "limit": 10 } }));
        let state = ada.call(method, &path, look).await;
        state["watchers"].as_array().unwrap().iter().all(|user| user["id"] != "dan")
    })
    .await;
    let said = json!({ "message": { "text": "Bob is back" } });
    ada.call(Method::POST, &format!("{board}/message"), said).await;
    assert_eq!(bob.hears("message.new").await["message"]["text"], "Bob is back");
    let heard = dan.all_so_far().await;
    assert!(!heard.iter().any(|event| event["type"] == "message.new"), "{heard:?}");
    for phone in &mut phones {
        phone.heard_so_far().await;
    }
}
