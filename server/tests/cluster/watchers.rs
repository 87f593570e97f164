//! Who watches a channel, counted over all nodes.

use reqwest::Method;
use serde_json::{Value, json};

use crate::Cluster;
use crate::common::{Person, TestServer};
use crate::faults::until;

const SHOW: &str = "/channels/livestream/show";

async fn watch(person: &Person, channel: &str) -> Value {
    person.call(Method::POST, &format!("{channel}/query"), json!({ "watch": true, "state": true })).await
}

async fn watcher_count(node: &TestServer, channel: &str) -> Value {
    node.server_side(Method::POST, &format!("{channel}/query"), json!({ "state": true })).await["watcher_count"].clone()
}

async fn open(node: &TestServer, channel: &str) {
    node.knows(&["zoe"]).await;
    let made = json!({ "data": { "created_by_id": "zoe" } });
    node.server_side(Method::POST, &format!("{channel}/query"), made).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_erased_while_they_watch_a_channel_is_no_longer_counted_there() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b) = (cluster.node().await, cluster.node().await);
    let (ada, mut bob) = (b.connect("ada").await, a.connect("bob").await);
    open(&a, SHOW).await;
    watch(&bob, SHOW).await;
    assert_eq!(watch(&ada, SHOW).await["watcher_count"], 2);

    b.server_side(Method::DELETE, "/users/ada?hard_delete=true", Value::Null).await;
    let event = bob.hears("user.watching.stop").await;
    assert_eq!((&event["user"]["id"], &event["watcher_count"]), (&json!("ada"), &json!(1)));
    assert_eq!(watcher_count(&b, SHOW).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_deleted_and_opened_again_has_no_watchers_of_before() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b) = (cluster.node().await, cluster.node().await);
    let (mut ada, mut bob) = (b.connect("ada").await, a.connect("bob").await);
    open(&a, SHOW).await;
    watch(&bob, SHOW).await;
    watch(&ada, SHOW).await;

    a.server_side(Method::DELETE, &format!("{SHOW}?hard_delete=true"), Value::Null).await;
    open(&a, SHOW).await;
    until(async || watcher_count(&a, SHOW).await == 0).await;
    for person in [&mut ada, &mut bob] {
        let heard = person.all_so_far().await;
        assert!(heard.iter().all(|event| event["type"] != "user.watching.stop"), "{heard:?}");
    }
    watch(&bob, SHOW).await;
    assert_eq!(watch(&ada, SHOW).await["watcher_count"], 2);
    assert_eq!(bob.hears("user.watching.start").await["user"]["id"], "bob");
    let event = bob.hears("user.watching.start").await;
    assert_eq!((&event["user"]["id"], &event["watcher_count"]), (&json!("ada"), &json!(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_is_counted_though_nobody_there_is_told_who_comes() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b) = (cluster.node().await, cluster.node().await);
    let (ada, mut bob) = (b.connect("ada").await, a.connect("bob").await);
    let arena = "/channels/gaming/arena";
    open(&a, arena).await;
    watch(&bob, arena).await;
    assert_eq!(watch(&ada, arena).await["watcher_count"], 2);
    ada.call(Method::POST, &format!("{arena}/stop-watching"), json!({})).await;
    until(async || watcher_count(&a, arena).await == 1).await;
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
}
