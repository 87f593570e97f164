//! People on different nodes.

use reqwest::Method;
use serde_json::{Value, json};

use crate::Cluster;
use crate::common::person::{close_code, open};
use crate::common::{Person, TestServer, user_token};

pub fn online(user: &str) -> (String, bool) {
    (user.to_owned(), true)
}

pub fn offline(user: &str) -> (String, bool) {
    (user.to_owned(), false)
}

pub fn is_online(users: &[Value]) -> Vec<bool> {
    users.iter().map(|user| user["online"].as_bool().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_on_one_node_sees_who_comes_and_goes_on_another() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b) = (cluster.node().await, cluster.node().await);
    b.knows(&["ada"]).await;
    let mut bob = a.connect("bob").await;
    assert_eq!(is_online(&bob.watch_users(&["ada"]).await), [false]);

    let ada = b.connect("ada").await;
    assert_eq!(bob.sees().await, online("ada"));
    let mut eve = a.connect("eve").await;
    assert_eq!(is_online(&eve.watch_users(&["ada", "bob"]).await), [true, true]);

    ada.says_goodbye().await;
    assert_eq!(bob.sees().await, offline("ada"));
    assert_eq!(eve.sees().await, offline("ada"));
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
    assert_eq!(eve.heard_so_far().await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_on_two_nodes_are_one_user() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b) = (cluster.node().await, cluster.node().await);
    let phone = a.connect("ada").await;
    let mut bob = b.connect("bob").await;
    assert_eq!(is_online(&bob.watch_users(&["ada"]).await), [true]);

    let laptop = b.connect("ada").await;
    phone.says_goodbye().await;
    laptop.says_goodbye().await;
    assert_eq!(bob.sees().await, offline("ada"));
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_may_land_on_another_node_than_the_socket_whose_connection_it_names() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b) = (cluster.node().await, cluster.node().await);
    let mut bob = a.connect("bob").await;
    b.knows(&["ada"]).await;
    bob.asks_at(&b);
    assert_eq!(is_online(&bob.watch_users(&["ada"]).await), [false]);
    let watch = json!({ "watch": true, "state": true, "presence": true, "data": { "members": ["ada", "bob"] } });
    let state = bob.call(Method::POST, "/channels/messaging/news/query", watch.clone()).await;
    assert_eq!(state["watcher_count"], 1);

    let ada = b.connect("ada").await;
    assert_eq!(bob.sees().await, online("ada"));
    ada.call(Method::POST, "/channels/messaging/news/query", watch).await;
    let event = bob.hears("user.watching.start").await;
    assert_eq!((&event["user"]["id"], &event["watcher_count"]), (&json!("ada"), &json!(2)));
    ada.call(Method::POST, "/channels/messaging/news/message", json!({ "message": { "text": "hello" } })).await;
    assert_eq!(bob.hears("message.new").await["message"]["text"], "hello");

    bob.call(Method::POST, "/channels/messaging/news/stop-watching", json!({})).await;
    ada.call(Method::POST, "/channels/messaging/news/message", json!({ "message": { "text": "again" } })).await;
    assert_eq!(bob.next_event().await["type"], "notification.message_new");
}

#[tokio::test(flavor = "multi_thread")]
async fn polls_may_land_on_any_node() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b) = (cluster.node().await, cluster.node().await);
    let poll = async |node: &TestServer, query: &[(&str, &str)]| {
        let mut url = reqwest::Url::parse("http://x/longpoll").unwrap();
        url.query_pairs_mut().append_pair("user_id", "bob").extend_pairs(query);
        node.request(&user_token("bob"), Method::GET, &format!("/longpoll?{}", url.query().unwrap()), Value::Null).await
    };
    let details = json!({ "user_id": "bob", "user_details": { "id": "bob" } }).to_string();
    let (_, hello) = poll(&a, &[("json", &details)]).await;
    let connection = hello["event"]["connection_id"].as_str().unwrap();
    let next = async || {
        let (status, reply) = poll(&b, &[("connection_id", connection)]).await;
        assert_eq!(status, 200, "{reply}");
        reply["events"].as_array().unwrap().clone()
    };
    let mut heard = Vec::new();
    b.server_side(Method::POST, "/users/bob/event", json!({ "event": { "type": "wave" } })).await;
    while heard.last().is_none_or(|event: &Value| event["type"] != "wave") {
        heard.extend(next().await);
    }
    let mut eve = b.connect("eve").await;
    eve.watch_users(&["bob"]).await;
    poll(&b, &[("connection_id", connection), ("close", "true")]).await;
    assert_eq!(eve.sees().await, offline("bob"));
    let (_, reply) = poll(&b, &[("connection_id", connection)]).await;
    assert_eq!(reply["code"], 46);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_revoked_on_one_node_end_connections_on_all() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b) = (cluster.node().await, cluster.node().await);
    let now = rollcall_server::store::now();
    let (phone, laptop, bob) = (a.connect("ada").await, b.connect("ada").await, b.connect("bob").await);
    let revoke = json!({ "users": [{ "id": "ada", "set": { "revoke_tokens_issued_before": now } }] });
    a.server_side(Method::PATCH, "/users", revoke).await;
    assert_eq!((phone.hears_close().await, laptop.hears_close().await), (Some(1012), Some(1012)));

    let eve = a.connect("eve").await;
    a.server_side(Method::PATCH, "/app", json!({ "revoke_tokens_issued_before": now })).await;
    assert_eq!((eve.hears_close().await, bob.hears_close().await), (Some(1012), Some(1012)));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_arrives_on_one_node_while_their_token_is_revoked_on_another_does_not_stay() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b) = (cluster.node().await, cluster.node().await);
    let accept = json!({ "revoke_tokens_issued_before": null });
    for round in 0..30 {
        let id = format!("ada-{round}");
        a.knows(&[&id]).await;
        let before = rollcall_server::store::now();
        let (path, revoke) = match round % 2 {
            0 => ("/users", json!({ "users": [{ "id": id, "set": { "revoke_tokens_issued_before": before } }] })),
            _ => ("/app", json!({ "revoke_tokens_issued_before": before })),
        };
        let json = json!({ "user_id": id, "user_details": { "id": id, "name": "Ada" } }).to_string();
        let query = [("json", json), ("authorization", user_token(&id))];
        let (mut socket, _) = tokio::join!(open(&b, &query), a.server_side(Method::PATCH, path, revoke));
        assert!(matches!(close_code(&mut socket).await, Some(1000 | 1012)), "{path}");
        a.server_side(Method::PATCH, "/app", accept.clone()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_a_node_that_is_no_more_is_no_connection() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b) = (cluster.node().await, cluster.node().await);
    let mut bob = a.connect("bob").await;
    bob.asks_at(&b);
    a.stop().await;
    let (status, error) = bob.request(Method::GET, "/users", json!({ "presence": true })).await;
    assert_eq!((status.as_u16(), &error["code"]), (400, &json!(4)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_distinct_channel_opened_on_both_nodes_at_once_is_one_channel() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b) = (cluster.node().await, cluster.node().await);
    let (mut ada, mut bob) = (a.connect("ada").await, b.connect("bob").await);
    let open = |person: Person| async move {
        let body = json!({ "data": { "members": ["ada", "bob"] }, "state": true });
        let state = person.call(Method::POST, "/channels/messaging/query", body).await;
        (person, state["channel"]["cid"].clone())
    };
    let (of_ada, of_bob);
    ((ada, of_ada), (bob, of_bob)) = tokio::join!(open(ada), open(bob));
    assert_eq!(of_ada, of_bob);
    for person in [&mut ada, &mut bob] {
        assert_eq!(person.hears("notification.added_to_channel").await["cid"], of_ada);
        let again = person.heard_so_far().await;
        assert!(!again.iter().any(|event| event["type"] == "notification.added_to_channel"), "{again:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hides_is_offline_on_all_nodes() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b) = (cluster.node().await, cluster.node().await);
    let (mut phone, laptop) = (a.connect("ada").await, b.connect("ada").await);
    let mut bob = b.connect("bob").await;
    bob.watch_users(&["ada"]).await;

    // By way of the node where neither of the two watches.
    phone.asks_at(&b);
    phone.upsert(json!({ "invisible": true })).await;
    assert_eq!(bob.sees().await, offline("ada"));
    assert_eq!(is_online(&bob.watch_users(&["ada"]).await), [false]);
    let own = phone.call(Method::GET, "/users", json!({ "filter_conditions": { "id": "ada" } })).await;
    assert_eq!((&own["users"][0]["online"], &own["users"][0]["invisible"]), (&json!(true), &json!(true)));

    laptop.says_goodbye().await;
    let laptop = b.connect("ada").await;
    assert_eq!(bob.all_so_far().await.iter().filter(|e| e["type"] == "user.presence.changed").count(), 0);
    laptop.upsert(json!({ "invisible": false })).await;
    assert_eq!(bob.sees().await, online("ada"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_to_another_node_was_never_gone() {
    let Some(cluster) = Cluster::new().await else { return };
    let flags = ["--offline-grace", "1h"];
    let (a, b) = (cluster.node_with(&flags).await, cluster.node_with(&flags).await);
    let mut bob = a.connect("bob").await;
    let ada = a.connect("ada").await;
    assert_eq!(is_online(&bob.watch_users(&["ada"]).await), [true]);
    ada.vanishes();
    let ada = b.connect("ada").await;
    // Nobody is waited for any more on the node that they left.
    ada.says_goodbye().await;
    assert_eq!(bob.sees().await, offline("ada"));
    let ada = a.connect("ada").await;
    assert_eq!(bob.sees().await, online("ada"));
    ada.says_goodbye().await;
    assert_eq!(bob.sees().await, offline("ada"));
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_says_of_themselves_is_heard_on_all_nodes() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b) = (cluster.node().await, cluster.node().await);
    let ada = a.connect("ada").await;
    let mut bob = b.connect("bob").await;
    bob.watch_users(&["ada"]).await;
    ada.upsert(json!({ "status": "at lunch" })).await;
    let event = bob.hears("user.updated").await;
    assert_eq!((&event["user"]["status"], &event["user"]["online"]), (&json!("at lunch"), &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_deactivated_on_one_node_is_put_out_on_all() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, b) = (cluster.node().await, cluster.node().await);
    let ada = a.connect("ada").await;
    let mut bob = b.connect("bob").await;
    bob.watch_users(&["ada"]).await;
    b.server_side(Method::POST, "/users/ada/deactivate", json!({})).await;
    assert_eq!(ada.hears_close().await, Some(1008));
    assert_eq!(bob.sees().await, offline("ada"));
}
