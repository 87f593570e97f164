//! Channels: opening them, watching them, and what their members see of each other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::{Person, TestServer, token};
use reqwest::Method;
use serde_json::{Value, json};

async fn open(person: &Person, channel: &str, request: Value) -> Value {
    person.call(Method::POST, &format!("/channels/messaging/{channel}/query"), request).await
}

async fn watch(person: &Person, channel: &str) -> Value {
    open(person, channel, json!({ "state": true, "watch": true, "presence": true })).await
}

fn member<'a>(state: &'a Value, id: &str) -> &'a Value {
    state["members"].as_array().unwrap().iter().find(|member| member["user_id"] == id).unwrap()
}

#[tokio::test]
async fn a_channel_is_made_once_and_found_again() {
    let server = TestServer::start().await;
    let (ada, bob) = (server.connect("ada").await, server.connect("bob").await);
    let data = json!({ "members": ["ada", { "user_id": "bob" }], "color": "green" });

    let made = open(&ada, "tea", json!({ "data": data, "state": true })).await;
    let found = open(&bob, "tea", json!({ "data": { "color": "red" }, "state": true })).await;

    assert_eq!(made["channel"]["cid"], "messaging:tea");
    assert_eq!(made["channel"]["created_by"]["id"], "ada");
    assert_eq!(member(&made, "ada")["role"], "owner");
    assert_eq!(found["channel"]["color"], "green", "data changes nothing of a channel that exists");
    assert_eq!(found["membership"]["user_id"], "bob");
    for key in ["messages", "pinned_messages", "threads", "read", "members"] {
        assert!(found[key].is_array(), "{key}: {found}");
    }
}

#[tokio::test]
async fn the_same_people_meet_in_the_same_channel() {
    let server = TestServer::start().await;
    let (ada, bob) = (server.connect("ada").await, server.connect("bob").await);
    let distinct = |members: [&str; 2]| json!({ "data": { "members": members }, "state": true });

    let first = ada.call(Method::POST, "/channels/messaging/query", distinct(["ada", "bob"])).await;
    let second = bob.call(Method::POST, "/channels/messaging/query", distinct(["bob", "ada"])).await;

    let id = first["channel"]["id"].as_str().unwrap();
    assert!(id.starts_with("!members-") && id.len() == "!members-".len() + 43, "{id}");
    assert_eq!(second["channel"]["id"], id);
    let (status, _) = ada.request(Method::POST, "/channels/messaging/query", json!({})).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn members_presence_is_live() {
    let server = TestServer::start().await;
    let (mut ada, bob) = (server.connect("ada").await, server.connect("bob").await);
    open(&ada, "tea", json!({ "data": { "members": ["ada", "bob"] } })).await;

    let state = watch(&ada, "tea").await;
    assert_eq!(member(&state, "bob")["user"]["online"], true);

    bob.says_goodbye().await;
    assert_eq!(ada.sees().await, ("bob".to_owned(), false));
    let state = watch(&ada, "tea").await;
    assert_eq!(member(&state, "bob")["user"]["online"], false);
}

#[tokio::test]
async fn a_message_shows_whether_its_author_is_there() {
    let server = TestServer::start().await;
    let (mut ada, bob) = (server.connect("ada").await, server.connect("bob").await);
    open(&ada, "tea", json!({ "data": { "members": ["ada", "bob"] } })).await;
    watch(&ada, "tea").await;

    let sent = bob
        .call(
            Method::POST,
            "/channels/messaging/tea/message",
            json!({ "message": { "text": "hello", "mood": "good" } }),
        )
        .await;
    let event = ada.hears("message.new").await;

    assert_eq!(event["message"]["id"], sent["message"]["id"]);
    assert_eq!(event["message"]["text"], "hello");
    assert_eq!(event["message"]["mood"], "good");
    assert_eq!(event["message"]["user"]["online"], true);
    assert_eq!(event["cid"], "messaging:tea");
    bob.says_goodbye().await;
    ada.sees().await;
    let state = watch(&ada, "tea").await;
    assert_eq!(state["messages"][0]["user"]["online"], false);
}

#[tokio::test]
async fn those_who_do_not_watch_are_notified() {
    let server = TestServer::start().await;
    let (ada, mut bob) = (server.connect("ada").await, server.connect("bob").await);
    open(&ada, "tea", json!({ "data": { "members": ["ada", "bob"] } })).await;

    let added = bob.hears("notification.added_to_channel").await;
    assert_eq!(added["channel"]["cid"], "messaging:tea");
    assert_eq!(added["member"]["user_id"], "bob");
    ada.call(Method::POST, "/channels/messaging/tea/message", json!({ "message": { "text": "psst" } })).await;
    let notified = bob.hears("notification.message_new").await;
    assert_eq!(notified["message"]["text"], "psst");
}

#[tokio::test]
async fn watchers_see_each_other_come_and_go() {
    let server = TestServer::start().await;
    let (mut ada, bob) = (server.connect("ada").await, server.connect("bob").await);
    open(&ada, "tea", json!({ "data": { "members": ["ada", "bob"] } })).await;
    watch(&ada, "tea").await;
    ada.heard_so_far().await;

    let state = watch(&bob, "tea").await;
    assert_eq!(state["watcher_count"], 2);
    let started = ada.hears("user.watching.start").await;
    assert_eq!((&started["user"]["id"], &started["watcher_count"]), (&json!("bob"), &json!(2)));

    bob.call(Method::POST, "/channels/messaging/tea/stop-watching", json!({})).await;
    let stopped = ada.hears("user.watching.stop").await;
    assert_eq!((&stopped["user"]["id"], &stopped["watcher_count"]), (&json!("bob"), &json!(1)));
}

#[tokio::test]
async fn one_watch_subscribes_to_so_many_members_and_says_so() {
    let server = TestServer::with(&["--channel-presence-limit", "2"]).await;
    let ada = server.connect("ada").await;
    for id in ["bob", "cyd", "dan"] {
        server.connect(id).await;
    }
    open(&ada, "tea", json!({ "data": { "members": ["ada", "bob", "cyd", "dan"] } })).await;

    assert_eq!(watch(&ada, "tea").await["presence_omitted"], 2);
}

#[tokio::test]
async fn a_connection_watches_so_many_channels_and_is_told_of_those_it_does_not() {
    let server = TestServer::with(&["--subscriptions-per-connection", "1"]).await;
    let mut ada = server.connect("ada").await;
    server.knows(&["bob"]).await;
    for channel in ["tea", "cake"] {
        open(&ada, channel, json!({ "data": { "members": ["ada", "bob"] } })).await;
    }
    let watch = json!({ "watch": true });
    assert_eq!(open(&ada, "tea", watch.clone()).await.get("watch_omitted"), None);
    assert_eq!(open(&ada, "tea", watch.clone()).await.get("watch_omitted"), None, "it watches it already");
    assert_eq!(open(&ada, "cake", watch.clone()).await["watch_omitted"], true);
    let query = json!({ "filter_conditions": {}, "sort": [{ "field": "created_at", "direction": 1 }], "watch": true });
    let found = ada.call(Method::POST, "/channels", query).await;
    let omitted: Vec<_> =
        found["channels"].as_array().unwrap().iter().map(|state| state.get("watch_omitted")).collect();
    assert_eq!(omitted, [None, Some(&json!(true))]);
    let sync = json!({ "channel_cids": ["messaging:tea", "messaging:cake"], "last_sync_at": jiff::Timestamp::now(), "watch": true });
    let synced = ada.call(Method::POST, "/sync", sync).await;
    assert_eq!(synced["watch_omitted"], json!(["messaging:cake"]));

    ada.call(Method::POST, "/channels/messaging/tea/stop-watching", json!({})).await;
    assert_eq!(open(&ada, "cake", watch).await.get("watch_omitted"), None);
    let wave = json!({ "event": { "type": "wave", "user_id": "bob" } });
    server.server_side(Method::POST, "/channels/messaging/cake/event", wave).await;
    assert_eq!(ada.hears("wave").await["cid"], "messaging:cake");
}

#[tokio::test]
async fn channels_are_found_by_what_is_in_them() {
    let server = TestServer::start().await;
    let (ada, bob) = (server.connect("ada").await, server.connect("bob").await);
    open(&ada, "tea", json!({ "data": { "members": ["ada", "bob"], "color": "green" } })).await;
    open(&ada, "cake", json!({ "data": { "members": ["ada"], "color": "green" } })).await;

    let query = json!({ "filter_conditions": { "color": "green" }, "sort": [{ "field": "created_at", "direction": 1 }],
        "state": true, "watch": true, "presence": true });
    let cids = |reply: &Value| -> Vec<String> {
        let channels = reply["channels"].as_array().unwrap().iter();
        channels.map(|state| state["channel"]["cid"].as_str().unwrap().to_owned()).collect()
    };
    let found = ada.call(Method::POST, "/channels", query.clone()).await;
    assert_eq!(cids(&found), ["messaging:tea", "messaging:cake"]);
    let found = bob.call(Method::GET, "/channels", query).await;
    assert_eq!(cids(&found), ["messaging:tea"], "nobody finds what is not theirs");
    assert_eq!(member(&found["channels"][0], "ada")["user"]["online"], true);
}

#[tokio::test]
async fn strangers_stay_outside() {
    let server = TestServer::start().await;
    let (ada, eve) = (server.connect("ada").await, server.connect("eve").await);
    open(&ada, "tea", json!({ "data": { "members": ["ada"] } })).await;

    for (path, body) in [
        ("/channels/messaging/tea/query", json!({ "watch": true, "state": true })),
        ("/channels/messaging/tea/message", json!({ "message": { "text": "let me in" } })),
        ("/channels/messaging/tea", json!({})),
        ("/channels/messaging/tea", json!({ "remove_members": ["eve"] })),
    ] {
        let (status, error) = eve.request(Method::POST, path, body).await;
        assert_eq!((status.as_u16(), &error["code"]), (403, &json!(17)), "{error}");
    }
    let anonymous = server.url(&format!("/channels/messaging/tea?api_key={}", common::KEY));
    let request = reqwest::Client::new().post(anonymous).header("stream-auth-type", "anonymous").json(&json!({}));
    assert_eq!(request.send().await.unwrap().status(), 403);
    let (status, error) =
        eve.request(Method::POST, "/channels/messaging/lost/message", json!({ "message": { "text": "?" } })).await;
    assert_eq!((status.as_u16(), &error["code"]), (404, &json!(16)), "{error}");
}

#[tokio::test]
async fn the_conversation_of_two_people_is_opened_by_one_of_them() {
    let server = TestServer::start().await;
    let (ada, eve) = (server.connect("ada").await, server.connect("eve").await);
    server.knows(&["bob", "cyd"]).await;
    let of = |members: &[&str]| json!({ "data": { "members": members }, "watch": true });
    let id = |state: &Value| state["channel"]["id"].as_str().unwrap().to_owned();

    let (status, error) = eve.request(Method::POST, "/channels/messaging/query", of(&["ada", "bob"])).await;
    assert_eq!((status.as_u16(), &error["code"]), (403, &json!(17)), "{error}");
    let theirs = id(&ada.call(Method::POST, "/channels/messaging/query", of(&["ada", "bob"])).await);
    let elsewhere = id(&eve.call(Method::POST, "/channels/messaging/query", of(&["eve", "cyd"])).await);

    // Once it is deleted, its id is as free as it was before.
    ada.call(Method::DELETE, &format!("/channels/messaging/{theirs}"), Value::Null).await;
    for (path, members, refused) in [
        (format!("/channels/messaging/{theirs}/query"), &["ada", "bob"][..], (403, 17)),
        (format!("/channels/messaging/{theirs}/query"), &["eve", "ada", "bob"], (400, 4)),
        (format!("/channels/messaging/{theirs}/query"), &["eve"], (400, 4)),
        (format!("/channels/team/{elsewhere}/query"), &["eve", "cyd"], (400, 4)),
    ] {
        let (status, error) = eve.request(Method::POST, &path, of(members)).await;
        assert_eq!((status.as_u16(), error["code"].as_u64()), (refused.0, Some(refused.1)), "{members:?}: {error}");
    }
    let again = open(&ada, &theirs, of(&["bob", "ada"])).await;
    assert_eq!((id(&again), &again["channel"]["created_by"]["id"]), (theirs, &json!("ada")));
    server
        .server_side(
            Method::POST,
            "/channels/messaging/query",
            json!({
                "data": { "members": ["ada", "cyd"], "created_by_id": "eve" }
            }),
        )
        .await;
}

#[tokio::test]
async fn watching_needs_a_connection_and_making_needs_a_creator() {
    let server = TestServer::start().await;
    let server_side = token(json!({ "server": true }));
    let path = "/channels/messaging/tea/query";

    let (status, error) =
        server.request(&common::user_token("ada"), Method::POST, path, json!({ "watch": true })).await;
    assert_eq!(status, 400);
    assert_eq!(
        error["message"],
        "GetOrCreateChannel failed with error: \"Watch or Presence requires an active websocket connection, \
         please make sure to include your websocket connection_id\""
    );
    let (status, error) = server.request(&server_side, Method::POST, path, json!({ "data": {} })).await;
    assert_eq!((status.as_u16(), &error["code"]), (400, &json!(4)));
    assert!(error["message"].as_str().unwrap().contains("data.created_by_id must be provided"), "{error}");
    let (status, error) =
        server.request(&server_side, Method::POST, path, json!({ "data": { "created_by_id": "nobody" } })).await;
    assert_eq!((status.as_u16(), &error["code"]), (400, &json!(4)), "{error}");
}

#[tokio::test]
async fn a_refused_query_makes_no_channel() {
    let server = TestServer::start().await;
    let ada = server.connect("ada").await;
    for page in [json!({ "members": { "offset": 5000 } }), json!({ "watch": true, "watchers": { "offset": 5000 } })] {
        let (status, error) = ada.request(Method::POST, "/channels/messaging/tea/query", page).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!(4)), "{error}");
        assert!(error["message"].as_str().unwrap().contains("offset"), "{error}");
    }
    let found = ada.call(Method::POST, "/channels", json!({ "filter_conditions": { "id": "tea" } })).await;
    assert_eq!(found["channels"], json!([]), "{found}");
}
