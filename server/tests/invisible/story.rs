//! One telling of a story: the server, Ada who hides or is away, and Zoe who sees what she can.

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::blur::blurred;
use crate::common::scrape::Scrape;
use crate::common::{Person, TestServer, WITHOUT_LIMITS, user_token};

/// The same for all, so that who vanished later is missed later.
const GRACE: [&str; 4] = ["--offline-grace", "50ms", "--page-grace", "50ms"];

/// The channels that Ada and Zoe are in, each of which both watch.
pub const CHANNELS: [&str; 4] = ["messaging:tea", "messaging:yoga", "messaging:chess", "livestream:show"];

/// Whom the story is about, in which telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ada {
    /// She hides, and is connected all the time.
    Hides,
    /// She is away, and not connected at all.
    IsAway,
}

/// How long others see somebody who said goodbye, or hid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goodbye {
    /// No longer.
    AtOnce,
    /// For a moment. The story waits for its end.
    Ends,
    /// To the end of the story.
    Lasts,
}

impl Goodbye {
    pub const ALL: [Self; 3] = [Self::AtOnce, Self::Ends, Self::Lasts];

    fn grace(self) -> &'static str {
        match self {
            Self::AtOnce => "0s",
            Self::Ends => "60ms",
            Self::Lasts => "1h",
        }
    }
}

pub struct Story {
    pub server: TestServer,
    pub ada: Ada,
    /// Ada's connections.
    pub devices: Vec<Person>,
    pub zoe: Person,
    /// Somebody who is online all the time.
    pub cy: Person,
    /// What Zoe has seen so far.
    pub seen: Vec<Value>,
    /// When each step of the story began.
    pub steps: Vec<Timestamp>,
}

/// The path of a channel's requests.
pub fn path(cid: &str) -> String {
    format!("/channels/{}", cid.replace(':', "/"))
}

impl Story {
    /// Zoe is there and watches everybody, before Ada has ever been seen.
    pub async fn begin(ada: Ada, goodbye: Goodbye) -> Self {
        let more = ["--channel-presence-limit", "0", "--goodbye-grace", goodbye.grace()];
        let server = TestServer::with(&[&WITHOUT_LIMITS[..], &GRACE, &more].concat()).await;
        server.knows(&["ada", "bob", "wes", "zoe"]).await;
        let (zoe, cy) = (watcher(&server).await, server.connect("cy").await);
        let mut story = Self { server, ada, devices: Vec::new(), zoe, cy, seen: Vec::new(), steps: Vec::new() };
        story.watches().await;
        story
    }

    /// Zoe watches all there is.
    async fn watches(&mut self) {
        for cid in CHANNELS {
            let data = json!({ "members": ["ada", "bob", "zoe"], "name": cid });
            let open = json!({ "watch": true, "state": true, "presence": true, "data": data });
            let state = self.zoe.call(Method::POST, &format!("{}/query", path(cid)), open).await;
            self.seen.push(state);
        }
        let users = self.zoe.watch_users(&["ada", "bob", "cy", "wes"]).await;
        self.seen.push(users.into());
        self.listen().await;
    }

    /// The server restarts, and all who were connected come back.
    pub async fn restarts(self) -> Self {
        let Self { server, ada, devices, zoe, cy, seen, steps } = self;
        let hidden = devices.len();
        // Whoever is online at the end has a grace after it, and may be back in time or not.
        zoe.says_goodbye().await;
        cy.says_goodbye().await;
        are_left(&server, hidden).await;
        drop(devices);
        let server = server.restart().await;
        let mut back = Vec::new();
        for _ in 0..hidden {
            back.push(server.connect("ada").await);
        }
        let (zoe, cy) = (watcher(&server).await, server.connect("cy").await);
        let mut story = Self { server, ada, devices: back, zoe, cy, seen, steps };
        story.watches().await;
        story
    }

    pub fn hides(&self) -> bool {
        self.ada == Ada::Hides
    }

    /// Zoe notes what she heard since she last did; with that a step of the story ends.
    pub async fn listen(&mut self) {
        let heard = self.zoe.all_so_far().await;
        self.seen.extend(heard);
        self.steps.push(Timestamp::now());
    }

    /// All that Zoe saw, and her answers, to be compared with what she saw and got in the other
    /// telling.
    pub fn blurred(&self, answers: Value) -> Value {
        blurred(&json!({ "seen": self.seen, "answers": answers }), &self.steps)
    }

    /// Another device of Ada's connects.
    pub async fn arrives(&mut self, mut details: Value) {
        details["id"] = "ada".into();
        self.devices.push(self.server.connect_as(details).await);
    }

    /// Something Ada does that others see, whether she is connected or not: requests need no
    /// connection.
    pub async fn does(&self, method: Method, path: &str, body: Value) {
        let (status, reply) = self.tries(method, path, body).await;
        assert!(status.is_success(), "{path} answered {status}: {reply}");
    }

    /// The same, when she may not be allowed to.
    pub async fn tries(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        match self.devices.last() {
            Some(device) => device.request(method, path, body).await,
            None => self.server.request(&user_token("ada"), method, path, body).await,
        }
    }

    /// The newest device watches every channel that Ada is in.
    pub async fn opens_all(&self) {
        let device = self.devices.last().unwrap();
        for cid in CHANNELS {
            let open = json!({ "watch": true, "state": true, "presence": true });
            device.request(Method::POST, &format!("{}/query", path(cid)), open).await;
        }
    }

    /// Somebody says goodbye, and the server has noticed: its answer to the goodbye may come before.
    pub async fn says_goodbye(&self, person: Person) {
        person.says_goodbye().await;
        self.an_end_is_noticed().await;
    }

    /// Waits until the server has noticed that a connection ended: Ada has those in `devices`.
    pub async fn an_end_is_noticed(&self) {
        are_left(&self.server, self.devices.len() + 2).await;
    }

    /// Waits until every grace that began before is over: Wes comes and vanishes, whose grace ends
    /// after all of them. Whatever else is told meanwhile, Zoe notes.
    pub async fn graces_end(&mut self) {
        self.server.connect("wes").await.vanishes();
        self.sees_go("wes").await;
    }

    /// Zoe notes all she hears until somebody goes offline, that included.
    pub async fn sees_go(&mut self, id: &str) {
        loop {
            let event = self.zoe.next_event().await;
            let gone = event["type"] == "user.presence.changed" && event["user"]["online"] == false;
            let theirs = event["user"]["id"] == id;
            self.seen.push(event);
            if gone && theirs {
                return;
            }
        }
    }
}

/// Waits until the server has so many connections left.
async fn are_left(server: &TestServer, connections: usize) {
    let sample = "rollcall_connections{transport=\"websocket\"}";
    Scrape::until(server, |now| now.get(sample) == connections as f64).await;
}

/// Zoe, who asks to be told more than others are.
async fn watcher(server: &TestServer) -> Person {
    Person::connect_asking(server, json!({ "id": "zoe" }), "reason").await
}
