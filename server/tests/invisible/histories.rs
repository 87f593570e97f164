//! The ways to be hidden, each beside the way to be away that looks the same.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::answers::of_every_endpoint;
use crate::blur::assert_same;
use crate::common::user_token;
use crate::story::{Ada, CHANNELS, Goodbye, Story, path};

#[derive(Clone, Copy, Debug)]
pub struct History<'h> {
    pub name: &'static str,
    pub past: Past,
    /// What she does when she has hidden, or while she is away.
    pub then: &'h [Act],
}

/// How it came about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Past {
    /// She was never seen: hidden from her first connection on.
    NeverSeen,
    /// She was online. She hides, or says goodbye.
    Hides,
    /// She was online with two devices. She hides by what a third one says as it connects, or says
    /// goodbye with both.
    HidesByConnecting,
    /// The application hides her, or ends her connections.
    IsHidden,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act {
    /// Another device, which opens the channels.
    Connects,
    /// Another device, by polling.
    Polls,
    SaysGoodbye,
    ClosesThePage,
    Vanishes,
    /// Says again that she is hidden, and other things that are hers alone.
    SaysItAgain,
    StopsWatching,
    Asks,
    // Others see these.
    SetsStatus,
    SendsMessage,
    Types,
    Reads,
    Leaves,
    IsAdded,
    Restart,
}

use Act::*;

/// For histories at random; a restart takes long.
pub const ACTS: &[Act] = &[
    Connects,
    Polls,
    SaysGoodbye,
    ClosesThePage,
    Vanishes,
    SaysItAgain,
    StopsWatching,
    Asks,
    SetsStatus,
    SendsMessage,
    Types,
    Reads,
    Leaves,
    IsAdded,
];
pub const PASTS: &[Past] = &[Past::NeverSeen, Past::Hides, Past::HidesByConnecting, Past::IsHidden];

pub const HISTORIES: &[History<'static>] = &[
    History { name: "never seen, hidden at connect", past: Past::NeverSeen, then: &[] },
    History { name: "hides later", past: Past::Hides, then: &[] },
    History { name: "hides by connecting", past: Past::HidesByConnecting, then: &[] },
    History { name: "is hidden by the application", past: Past::IsHidden, then: &[] },
    History { name: "never seen, leaves", past: Past::NeverSeen, then: &[SaysGoodbye] },
    History { name: "hides, then leaves", past: Past::Hides, then: &[SaysGoodbye] },
    History { name: "hides, then is lost", past: Past::Hides, then: &[Vanishes] },
    History { name: "comes back hidden", past: Past::Hides, then: &[ClosesThePage, Connects, Asks] },
    History { name: "two devices", past: Past::Hides, then: &[Connects, Vanishes, Connects, SaysItAgain] },
    History { name: "polls", past: Past::NeverSeen, then: &[SaysGoodbye, Polls, StopsWatching] },
    History { name: "has a new status", past: Past::Hides, then: &[SetsStatus, Asks, SetsStatus] },
    History { name: "speaks", past: Past::Hides, then: &[SendsMessage, Types, Reads] },
    History { name: "speaks, never seen", past: Past::NeverSeen, then: &[Types, SendsMessage, Connects, Reads] },
    History { name: "is taken in and out", past: Past::Hides, then: &[Leaves, IsAdded, Connects, StopsWatching] },
    History { name: "through a restart", past: Past::Hides, then: &[Restart, Connects, SetsStatus, Restart] },
];

/// Tells the history, up to where she is hidden or away.
pub async fn lives(ada: Ada, goodbye: Goodbye, history: History<'_>) -> Story {
    let mut story = Story::begin(ada, goodbye).await;
    let bob = story.server.connect("bob").await;
    story.says_goodbye(bob).await;
    if goodbye == Goodbye::Ends {
        story.sees_go("bob").await;
    }
    if history.past != Past::NeverSeen {
        story.arrives(json!({ "name": "Ada", "status": "Here" })).await;
        story.opens_all().await;
        take(&mut story, SendsMessage).await;
    } else if story.hides() {
        story.arrives(json!({ "invisible": true })).await;
        story.opens_all().await;
    }
    if history.past == Past::HidesByConnecting {
        story.arrives(json!({})).await;
    }
    story.listen().await;
    match (ada, history.past) {
        (_, Past::NeverSeen) => {}
        (Ada::Hides, Past::Hides) => drop(story.devices[0].upsert(json!({ "invisible": true })).await),
        (Ada::Hides, Past::HidesByConnecting) => story.arrives(json!({ "invisible": true })).await,
        (Ada::Hides, Past::IsHidden) => {
            let hide = json!({ "users": [{ "id": "ada", "set": { "invisible": true } }] });
            story.server.server_side(Method::PATCH, "/users", hide).await;
        }
        (Ada::IsAway, _) => {
            // Those that watch nothing first: the last one is the one that counts.
            while let Some(device) = story.devices.pop() {
                story.says_goodbye(device).await;
            }
        }
    }
    if goodbye == Goodbye::Ends && history.past != Past::NeverSeen {
        story.sees_go("ada").await;
    }
    story.listen().await;
    for act in history.then {
        story = match act {
            Restart => story.restarts().await,
            act => {
                take(&mut story, *act).await;
                story
            }
        };
        story.listen().await;
    }
    story
}

/// Does one thing; what others cannot see, only she who hides does.
pub async fn take(story: &mut Story, act: Act) {
    let tea = path("messaging:tea");
    match act {
        SetsStatus => {
            let status = format!("Thought {}", story.seen.len());
            let users = json!({ "users": { "ada": { "id": "ada", "status": status } } });
            return story.does(Method::POST, "/users", users).await;
        }
        SendsMessage => {
            let message = json!({ "message": { "text": "Still here" } });
            return story.does(Method::POST, &format!("{tea}/message"), message).await;
        }
        Types => {
            for kind in ["typing.start", "typing.stop", "wave"] {
                story.does(Method::POST, &format!("{tea}/event"), json!({ "event": { "type": kind } })).await;
            }
            return;
        }
        Reads => return story.does(Method::POST, &format!("{tea}/read"), json!({})).await,
        Leaves => {
            let leave = json!({ "remove_members": ["ada"] });
            // Whoever has left before is not shown the channel.
            let (status, reply) = story.tries(Method::POST, &path("messaging:yoga"), leave).await;
            assert!(status.is_success() || status == StatusCode::FORBIDDEN, "{status}: {reply}");
            return;
        }
        IsAdded => {
            let add = json!({ "add_members": ["ada"] });
            return drop(story.zoe.call(Method::POST, &path("messaging:yoga"), add).await);
        }
        _ if !story.hides() => return,
        _ => {}
    }
    if let (SaysGoodbye | ClosesThePage | Vanishes, Some(device)) = (act, story.devices.pop()) {
        match act {
            SaysGoodbye => device.says_goodbye().await,
            ClosesThePage => drop(device.closes_with(1001.into()).await),
            _ => device.vanishes(),
        }
        return story.an_end_is_noticed().await;
    }
    match (act, story.devices.last()) {
        (Connects, _) => {
            story.arrives(json!({})).await;
            assert_eq!(story.devices.last().unwrap().me["invisible"], true);
            story.opens_all().await;
        }
        (Polls, _) => {
            let (status, reply) = story.polls("").await;
            let session = reply["event"]["connection_id"].as_str().unwrap_or_else(|| panic!("{status} {reply}"));
            story.polls(&format!("&connection_id={session}&close=true")).await;
        }
        (SaysItAgain, Some(device)) => {
            device.upsert(json!({ "invisible": true })).await;
            device.upsert(json!({ "privacy_settings": { "typing_indicators": { "enabled": false } } })).await;
        }
        (StopsWatching, Some(device)) => {
            let stop = json!({});
            device.call(Method::POST, &format!("{}/stop-watching", path("messaging:chess")), stop).await;
        }
        (Asks, Some(device)) => drop(of_ada(device).await),
        _ => {}
    }
}

/// What she asks, who hides.
async fn of_ada(device: &crate::common::Person) -> Value {
    device.watch_users(&["bob", "cy", "zoe"]).await;
    let cids = json!({ "channel_cids": CHANNELS, "last_sync_at": "2026-01-01T00:00:00Z", "watch": true });
    device.call(Method::POST, "/sync", cids).await;
    device.call(Method::GET, "/unread", json!({})).await
}

impl Story {
    async fn polls(&self, more: &str) -> (reqwest::StatusCode, Value) {
        let greeting = json!({ "user_id": "ada", "user_details": { "id": "ada" } }).to_string();
        let url = reqwest::Url::parse_with_params("http://localhost/longpoll", [("json", greeting)]).unwrap();
        let path = format!("/longpoll?{}{more}", url.query().unwrap());
        self.server.request(&user_token("ada"), Method::GET, &path, Value::Null).await
    }
}

#[tokio::test]
async fn who_hides_looks_like_who_is_away() {
    for history in HISTORIES {
        compare(Goodbye::AtOnce, history).await;
    }
}

#[tokio::test]
async fn who_hides_looks_like_who_goes_with_a_grace_after_goodbyes() {
    // Whoever is online when the server restarts may be back in time or not; and without a goodbye
    // there is no grace.
    let told = |history: &&History| history.past != Past::NeverSeen && !history.then.contains(&Restart);
    for history in HISTORIES.iter().filter(told) {
        compare(Goodbye::Ends, history).await;
        compare(Goodbye::Lasts, history).await;
    }
}

/// Tells the history of one who hides and of one who is away, and compares all that Zoe can see.
pub async fn compare(goodbye: Goodbye, history: &History<'_>) {
    let tell = async |ada| {
        let mut story = lives(ada, goodbye, *history).await;
        let answers = of_every_endpoint(&mut story).await;
        // What others hear of Zoe's own acts shows Ada too.
        story.listen().await;
        story.graces_end().await;
        story.blurred(answers)
    };
    let (hidden, away) = tokio::join!(tell(Ada::Hides), tell(Ada::IsAway));
    assert_same(&hidden, &away, &format!("{}, {goodbye:?}", history.name));
}

/// What the application's own server does with Ada: it is told more, others are not.
#[tokio::test]
async fn what_the_application_does_shows_nothing() {
    let mut tellings = Vec::new();
    for ada in [Ada::Hides, Ada::IsAway] {
        let mut story = lives(ada, Goodbye::AtOnce, HISTORIES[1]).await;
        for (path, body) in [
            ("/users/ada/event", json!({ "event": { "type": "knock" } })),
            ("/users/ada/deactivate", json!({})),
            ("/users/ada/reactivate", json!({})),
            ("/users/delete", json!({ "user_ids": ["ada"], "user": "soft" })),
            ("/users/restore", json!({ "user_ids": ["ada"] })),
        ] {
            story.server.server_side(Method::POST, path, body).await;
            story.listen().await;
            let by_id = json!({ "filter_conditions": { "id": "ada" }, "include_deactivated_users": true });
            let answer = story.zoe.call(Method::GET, "/users", by_id).await;
            story.seen.push(answer);
        }
        let revoke =
            json!({ "users": [{ "id": "ada", "set": { "revoke_tokens_issued_before": "2100-01-01T00:00:00Z" } }] });
        story.server.server_side(Method::PATCH, "/users", revoke).await;
        let erase = json!({ "user_ids": ["ada"], "user": "hard" });
        story.server.server_side(Method::POST, "/users/delete", erase).await;
        story.listen().await;
        tellings.push(story.blurred(Value::Null));
    }
    assert_same(&tellings[0], &tellings[1], "events");
}
