//! Who belongs to a channel, and what its members may do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::{Person, TestServer};
use reqwest::Method;
use serde_json::{Value, json};

const TEA: &str = "/channels/messaging/tea";

/// Ada's channel, which Bob belongs to and Eve does not.
async fn tea(server: &TestServer) -> (Person, Person, Person) {
    let people = (server.connect("ada").await, server.connect("bob").await, server.connect("eve").await);
    let open = json!({ "data": { "members": ["ada", "bob"], "color": "green" }, "watch": true, "presence": true });
    people.0.call(Method::POST, &format!("{TEA}/query"), open).await;
    people
}

async fn watch(person: &Person) -> Value {
    person.call(Method::POST, &format!("{TEA}/query"), json!({ "state": true, "watch": true })).await
}

fn ids(members: &Value) -> Vec<&str> {
    members.as_array().unwrap().iter().map(|member| member["user_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn members_come_and_go_and_everybody_concerned_hears_of_it() {
    let server = TestServer::start().await;
    let (mut ada, _bob, mut eve) = tea(&server).await;

    let reply = ada.call(Method::POST, TEA, json!({ "add_members": ["eve"] })).await;
    assert_eq!(ids(&reply["members"]), ["ada", "bob", "eve"]);
    let added = ada.hears("member.added").await;
    assert_eq!((&added["member"]["user_id"], &added["user"]["id"]), (&json!("eve"), &json!("eve")));
    assert_eq!(eve.hears("notification.added_to_channel").await["channel"]["color"], "green");

    ada.call(Method::POST, TEA, json!({ "remove_members": ["eve"] })).await;
    assert_eq!(ada.hears("member.removed").await["user"]["id"], "eve");
    assert_eq!(eve.hears("notification.removed_from_channel").await["member"]["user_id"], "eve");
    let (status, _) = eve.request(Method::POST, &format!("{TEA}/query"), json!({ "state": true })).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn who_is_removed_hears_no_more_of_the_channel() {
    let server = TestServer::start().await;
    let (ada, mut bob, _eve) = tea(&server).await;
    watch(&bob).await;
    bob.heard_so_far().await;

    ada.call(Method::POST, TEA, json!({ "remove_members": ["bob"] })).await;
    bob.hears("notification.removed_from_channel").await;
    ada.call(Method::POST, &format!("{TEA}/message"), json!({ "message": { "text": "alone at last" } })).await;

    let heard = bob.heard_so_far().await;
    assert!(heard.iter().all(|event| event["type"] != "message.new"), "{heard:?}");
}

#[tokio::test]
async fn a_member_may_leave_but_only_the_creator_and_moderators_change_who_belongs() {
    let server = TestServer::start().await;
    let (ada, bob, _eve) = tea(&server).await;

    for body in [
        json!({ "add_members": ["eve"] }),
        json!({ "remove_members": ["ada"] }),
        json!({ "add_moderators": ["bob"] }),
        json!({ "data": { "color": "red" } }),
    ] {
        let (status, error) = bob.request(Method::POST, TEA, body).await;
        assert_eq!((status.as_u16(), &error["code"]), (403, &json!(17)), "{error}");
    }
    ada.call(Method::POST, TEA, json!({ "add_moderators": ["bob"] })).await;
    let reply = bob.call(Method::POST, TEA, json!({ "add_members": ["eve"], "remove_members": ["bob"] })).await;
    assert_eq!(ids(&reply["members"]), ["ada", "eve"]);
}

#[tokio::test]
async fn an_invitation_is_accepted_or_declined_once() {
    let server = TestServer::start().await;
    let (ada, _bob, mut eve) = tea(&server).await;

    ada.call(Method::POST, TEA, json!({ "invites": ["eve"] })).await;
    assert_eq!(eve.hears("notification.invited").await["member"]["status"], "pending");
    eve.call(Method::POST, TEA, json!({ "accept_invite": true })).await;
    let query = json!({ "type": "messaging", "id": "tea", "filter_conditions": { "invite": "accepted" } });
    let found = ada.call(Method::GET, "/members", query).await;
    assert_eq!(ids(&found["members"]), ["eve"]);
    let (status, _) = ada.request(Method::POST, TEA, json!({ "accept_invite": true })).await;
    assert_eq!(status, 400, "nobody invited Ada");
}

#[tokio::test]
async fn members_are_found_with_their_presence() {
    let server = TestServer::start().await;
    let (ada, bob, _eve) = tea(&server).await;
    bob.upsert(json!({ "name": "Bobby" })).await;

    let query = |filter: Value| json!({ "type": "messaging", "id": "tea", "filter_conditions": filter });
    let found = ada.call(Method::GET, "/members", query(json!({ "name": { "$autocomplete": "bob" } }))).await;
    assert_eq!(ids(&found["members"]), ["bob"]);
    assert_eq!(found["members"][0]["user"]["online"], true);
    let mut paged = query(json!({}));
    paged["sort"] = json!([{ "field": "created_at", "direction": -1 }]);
    paged["limit"] = 1.into();
    assert_eq!(ids(&ada.call(Method::GET, "/members", paged).await["members"]).len(), 1);
}

#[tokio::test]
async fn members_are_sorted_by_one_thing() {
    let server = TestServer::start().await;
    let (ada, _bob, _eve) = tea(&server).await;
    let entry = |field: &str| json!({ "field": field, "direction": -1 });
    let query = |sort: Value| json!({ "type": "messaging", "id": "tea", "filter_conditions": {}, "sort": sort });

    let found = ada.call(Method::GET, "/members", query(json!([entry("user_id")]))).await;
    assert_eq!(ids(&found["members"]), ["bob", "ada"]);
    let (status, error) =
        ada.request(Method::GET, "/members", query(json!([entry("created_at"), entry("user_id")]))).await;
    assert_eq!((status.as_u16(), &error["code"]), (400, &json!(4)), "{error}");
}

#[tokio::test]
async fn history_begins_where_it_was_hidden_or_cleared() {
    let server = TestServer::start().await;
    let (ada, bob, eve) = tea(&server).await;
    let say = async |text: &str| {
        ada.call(Method::POST, &format!("{TEA}/message"), json!({ "message": { "text": text } })).await;
    };
    let texts = async |person: &Person| {
        let one = watch(person).await["messages"].clone();
        let many = person.call(Method::POST, "/channels", json!({ "filter_conditions": { "cid": "messaging:tea" } }));
        assert_eq!(many.await["channels"][0]["messages"], one);
        let sync = json!({ "channel_cids": ["messaging:tea"], "last_sync_at": "2020-01-01T00:00:00Z" });
        let missed = person.call(Method::POST, "/sync", sync).await["events"].clone();
        assert_eq!(missed.as_array().unwrap().len(), one.as_array().unwrap().len());
        one.as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };

    say("of before").await;
    ada.call(Method::POST, TEA, json!({ "add_members": ["eve"], "hide_history": true })).await;
    bob.call(Method::POST, &format!("{TEA}/hide"), json!({ "clear_history": true })).await;
    say("of after").await;

    assert_eq!(texts(&ada).await, ["of before", "of after"]);
    assert_eq!(texts(&bob).await, ["of after"]);
    assert_eq!(texts(&eve).await, ["of after"]);
}

#[tokio::test]
async fn every_member_is_told_what_they_have_not_read() {
    let server = TestServer::start().await;
    let (ada, mut bob, mut eve) = tea(&server).await;
    watch(&bob).await;
    let unread = |event: &Value| {
        ["unread_count", "total_unread_count", "unread_channels"].map(|name| event[name].as_u64().unwrap())
    };

    ada.call(Method::POST, TEA, json!({ "add_members": ["eve"] })).await;
    assert_eq!(unread(&eve.hears("notification.added_to_channel").await), [0, 0, 0]);
    ada.call(Method::POST, &format!("{TEA}/message"), json!({ "message": { "text": "Tea?" } })).await;

    assert_eq!(unread(&bob.hears("message.new").await), [1, 1, 1]);
    assert_eq!(unread(&eve.hears("notification.message_new").await), [1, 1, 1]);
    assert_eq!(bob.heard_so_far().await, Vec::<Value>::new(), "one copy");
}

#[tokio::test]
async fn what_a_member_pins_is_theirs_to_see() {
    let server = TestServer::start().await;
    let (mut ada, bob, _eve) = tea(&server).await;
    watch(&bob).await;
    let mut second = server.connect("bob").await;
    watch(&second).await;
    ada.heard_so_far().await;

    bob.call(Method::PATCH, &format!("{TEA}/member"), json!({ "set": { "pinned": true } })).await;
    assert!(second.hears("member.updated").await["member"]["pinned_at"].is_string());
    assert_eq!(ada.heard_so_far().await, Vec::<Value>::new());

    bob.call(Method::PATCH, &format!("{TEA}/member"), json!({ "set": { "nick": "Bobby" } })).await;
    let event = second.hears("member.updated").await;
    assert!(event["member"]["pinned_at"].is_string() && event["member"]["nick"] == "Bobby", "{event}");
    let event = ada.hears("member.updated").await;
    assert_eq!((event["member"].get("pinned_at"), &event["member"]["nick"]), (None, &json!("Bobby")));
}

#[tokio::test]
async fn a_channel_says_what_one_may_do_there() {
    let server = TestServer::start().await;
    let (ada, bob, eve) = tea(&server).await;
    let own = |state: &Value| state["channel"]["own_capabilities"].clone();
    let may = |state: &Value, what: &str| own(state).as_array().unwrap().contains(&what.into());

    for what in ["update-channel", "update-channel-members", "delete-channel", "send-message", "leave-channel"] {
        assert!(may(&watch(&ada).await, what), "the creator: {what}");
        let everybody = matches!(what, "send-message" | "leave-channel");
        assert_eq!(may(&watch(&bob).await, what), everybody, "a member: {what}");
    }
    ada.call(Method::POST, TEA, json!({ "add_moderators": ["bob"] })).await;
    assert!(may(&watch(&bob).await, "update-channel"), "a moderator");
    let open = json!({ "state": true });
    let show = eve.call(Method::POST, "/channels/livestream/show/query", open.clone()).await;
    assert!(may(&show, "join-channel") && !may(&show, "leave-channel"));
    let anonymous = server.url(&format!("/channels/livestream/show/query?api_key={}", common::KEY));
    let request = reqwest::Client::new().post(anonymous).header("stream-auth-type", "anonymous").json(&open);
    let show: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(own(&show), json!(["connect-events"]));
}

#[tokio::test]
async fn whoever_joins_an_open_channel_joins_it_as_a_member() {
    let server = TestServer::start().await;
    let (ada, eve) = (server.connect("ada").await, server.connect("eve").await);
    let show = "/channels/livestream/show";
    ada.call(Method::POST, &format!("{show}/query"), json!({ "data": { "members": ["ada"] } })).await;

    let moderator = json!({ "user_id": "eve", "channel_role": "channel_moderator" });
    for list in ["add_members", "invites"] {
        let (status, error) = eve.request(Method::POST, show, json!({ list: [moderator] })).await;
        assert_eq!((status.as_u16(), &error["code"]), (403, &json!(17)), "{error}");
    }
    let member = json!({ "user_id": "eve", "channel_role": "channel_member" });
    eve.call(Method::POST, show, json!({ "add_members": [member] })).await;
    let (status, _) = eve.request(Method::POST, show, json!({ "remove_members": ["ada"] })).await;
    assert_eq!(status, 403);
    ada.call(Method::POST, show, json!({ "add_moderators": ["eve"] })).await;
    eve.call(Method::POST, show, json!({ "remove_members": ["ada"] })).await;
}

#[tokio::test]
async fn a_distinct_channel_is_its_members() {
    let server = TestServer::start().await;
    let (ada, _bob, _eve) = tea(&server).await;
    let open = json!({ "data": { "members": ["ada", "bob"] } });
    let state = ada.call(Method::POST, "/channels/messaging/query", open).await;
    let path = format!("/channels/messaging/{}", state["channel"]["id"].as_str().unwrap());

    let (status, error) = ada.request(Method::POST, &path, json!({ "add_members": ["eve"] })).await;
    assert_eq!((status.as_u16(), &error["code"]), (400, &json!(4)), "{error}");
    ada.call(Method::POST, &path, json!({ "remove_members": ["bob"] })).await;
}

#[tokio::test]
async fn a_channel_is_changed_in_whole_in_part_and_deleted() {
    let server = TestServer::start().await;
    let (ada, mut bob, _eve) = tea(&server).await;
    watch(&bob).await;

    let reply = ada.call(Method::POST, TEA, json!({ "data": { "mood": "calm" } })).await;
    assert!(reply["channel"].get("color").is_none(), "data is replaced");
    let updated = bob.hears("channel.updated").await;
    assert_eq!((&updated["channel"]["mood"], &updated["user"]["id"]), (&json!("calm"), &json!("ada")));
    let patch = json!({ "set": { "room.floor": 2 }, "unset": ["mood"] });
    let reply = ada.call(Method::PATCH, TEA, patch).await;
    assert_eq!((&reply["channel"]["room"]["floor"], reply["channel"].get("mood")), (&json!(2), None));
    let (status, _) = ada.request(Method::PATCH, TEA, json!({ "set": { "cid": "messaging:x" } })).await;
    assert_eq!(status, 400);

    ada.call(Method::PATCH, TEA, json!({ "set": { "frozen": true } })).await;
    let message = json!({ "message": { "text": "brr" } });
    let (status, error) = ada.request(Method::POST, &format!("{TEA}/message"), message).await;
    assert_eq!((status.as_u16(), &error["code"]), (403, &json!(17)));

    ada.call(Method::DELETE, TEA, Value::Null).await;
    assert!(bob.hears("channel.deleted").await["channel"]["deleted_at"].is_string());
    let (status, error) = ada.request(Method::POST, &format!("{TEA}/message"), json!({ "message": {} })).await;
    assert_eq!((status.as_u16(), &error["code"]), (404, &json!(16)));
}

#[tokio::test]
async fn who_watched_a_channel_that_was_deleted_does_not_watch_the_next_one_of_its_name() {
    let server = TestServer::start().await;
    let mut ada = server.connect("ada").await;
    let show = "/channels/livestream/show";
    let made = json!({ "data": { "created_by_id": "ada" }, "state": true });
    server.server_side(Method::POST, &format!("{show}/query"), made.clone()).await;
    let watched = json!({ "state": true, "watch": true });
    ada.call(Method::POST, &format!("{show}/query"), watched).await;

    server.server_side(Method::DELETE, &format!("{show}?hard_delete=true"), Value::Null).await;
    ada.hears("channel.deleted").await;
    let again = server.server_side(Method::POST, &format!("{show}/query"), made).await;
    assert_eq!(again["watcher_count"], 0);
    let event = json!({ "event": { "type": "wave", "user_id": "bob" } });
    server.knows(&["bob"]).await;
    server.server_side(Method::POST, &format!("{show}/event"), event).await;
    assert_eq!(ada.heard_so_far().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_hidden_channel_comes_back_when_somebody_writes() {
    let server = TestServer::start().await;
    let (ada, mut bob, _eve) = tea(&server).await;
    let query = json!({ "filter_conditions": { "members": { "$in": ["bob"] } } });

    bob.call(Method::POST, &format!("{TEA}/hide"), json!({})).await;
    bob.hears("channel.hidden").await;
    let found = bob.call(Method::POST, "/channels", query.clone()).await;
    assert_eq!(found["channels"], json!([]));
    ada.call(Method::POST, &format!("{TEA}/message"), json!({ "message": { "text": "still there?" } })).await;
    let found = bob.call(Method::POST, "/channels", query).await;
    assert_eq!(found["channels"][0]["channel"]["hidden"], false);
}

#[tokio::test]
async fn typing_reading_and_own_events_reach_those_who_watch() {
    let server = TestServer::start().await;
    let (mut ada, mut bob, _eve) = tea(&server).await;
    watch(&bob).await;

    ada.call(Method::POST, &format!("{TEA}/event"), json!({ "event": { "type": "typing.start" } })).await;
    assert_eq!(bob.hears("typing.start").await["user"]["id"], "ada");
    ada.call(Method::POST, &format!("{TEA}/event"), json!({ "event": { "type": "wave", "hands": 2 } })).await;
    assert_eq!(bob.hears("wave").await["hands"], 2);
    for kind in ["user.presence.changed", "message.new", "health.check", ""] {
        let forged = json!({ "event": { "type": kind, "user": { "id": "bob", "online": false } } });
        let (status, error) = ada.request(Method::POST, &format!("{TEA}/event"), forged).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!(4)), "{kind}");
    }
    ada.call(Method::POST, &format!("{TEA}/message"), json!({ "message": { "text": "news" } })).await;
    let unread = bob.call(Method::GET, "/unread", json!({})).await;
    assert_eq!(unread["total_unread_count"], 1);
    assert_eq!(unread["channel_type"][0]["channel_type"], "messaging");
    bob.call(Method::POST, &format!("{TEA}/read"), json!({})).await;
    assert_eq!(ada.hears("message.read").await["user"]["id"], "bob");
    assert_eq!(bob.call(Method::GET, "/unread", json!({})).await["total_unread_count"], 0);
}

#[tokio::test]
async fn a_crowd_is_not_told_of_every_coming_and_reading() {
    let server = TestServer::start().await;
    let (mut ada, bob) = (server.connect("ada").await, server.connect("bob").await);
    let watch = json!({ "state": true, "watch": true });
    ada.call(Method::POST, "/channels/gaming/show/query", watch.clone()).await;
    ada.heard_so_far().await;

    let state = bob.call(Method::POST, "/channels/gaming/show/query", watch).await;

    assert_eq!(state["watcher_count"], 2);
    assert_eq!(ada.heard_so_far().await, Vec::<Value>::new());
    for (path, body) in [("event", json!({ "event": { "type": "typing.start" } })), ("read", json!({}))] {
        let (status, error) = bob.request(Method::POST, &format!("/channels/gaming/show/{path}"), body).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!(18)), "{error}");
    }
}

#[tokio::test]
async fn an_audience_sees_who_joins_it() {
    let server = TestServer::start().await;
    let (mut ada, bob) = (server.connect("ada").await, server.connect("bob").await);
    let watch = json!({ "watch": true });
    ada.call(Method::POST, "/channels/livestream/show/query", watch.clone()).await;
    ada.heard_so_far().await;

    bob.call(Method::POST, "/channels/livestream/show/query", watch).await;

    assert_eq!(ada.hears("user.watching.start").await["user"]["id"], "bob");
}
