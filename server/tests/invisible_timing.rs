//! The clock does not tell who hides either (`tests/invisible` compares everything else): what Zoe asks
//! about somebody, or tells them, takes as long when they hide as when they are away.
//!
//! Measured as the probability that of one answer about each, the one about who hides is later:
//! 0.5 when nothing tells them apart, whatever the noise looks like. It takes a difference of half
//! the noise's own spread to move it by 0.15; by chance 300 samples of each move it by 0.023 (one
//! standard deviation), so that a test that fails has found something. The samples alternate, so
//! that what slows the machine down slows down both; nothing else runs in this process meanwhile; and there is no network, whose noise is a
//! hundred times as much.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::time::{Duration, Instant};

use common::binary::{Binary, command};
use common::{KEY, Person, WITHOUT_LIMITS, user_token};
use reqwest::{Client, Method};
use serde_json::{Value, json};

const SAMPLES: usize = 300;
const TOLERANCE: f64 = 0.15;

/// The probability that one of `a` is greater than one of `b`; equal ones count half.
fn superiority(a: &[Duration], b: &[Duration]) -> f64 {
    let wins = |x: &Duration, y: &Duration| match x.cmp(y) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let won: f64 = a.iter().flat_map(|x| b.iter().map(move |y| wins(x, y))).sum();
    won / (a.len() * b.len()) as f64
}

fn median(samples: &mut [Duration]) -> Duration {
    samples.sort_unstable();
    samples[samples.len() / 2]
}

/// What Zoe does about somebody.
struct Question {
    name: &'static str,
    method: Method,
    /// With `{}` where their id belongs.
    path: &'static str,
    body: fn(&str) -> Value,
    /// Those who watch hear of it, Zoe among them.
    is_heard: bool,
}

fn questions() -> Vec<Question> {
    let state = |_: &str| json!({ "state": true, "watch": true, "presence": true });
    let typing = |_: &str| json!({ "event": { "type": "typing.start" } });
    let message = |_: &str| json!({ "message": { "text": "Anybody there?" } });
    let user = |id: &str| json!({ "filter_conditions": { "id": id }, "presence": true });
    let nickname = |_: &str| json!({ "set": { "nickname": "Countess" } });
    let ask = |name, method, path, body, is_heard| Question { name, method, path, body, is_heard };
    vec![
        ask("a query of users", Method::GET, "/users", user, false),
        ask("a channel's state", Method::POST, "/channels/messaging/{}/query", state, false),
        ask("a change of a member", Method::PATCH, "/channels/messaging/{}/member/{}", nickname, false),
        ask("an event", Method::POST, "/channels/messaging/{}/event", typing, true),
        ask("a message", Method::POST, "/channels/messaging/{}/message", message, true),
    ]
}

/// The server, Zoe, and those she asks about.
struct Stage {
    server: Binary,
    client: Client,
    zoe: Person,
}

impl Stage {
    /// How long until the answer comes, and until Zoe hears of it.
    async fn measure(&mut self, question: &Question, id: &str) -> (Duration, Duration) {
        let mut query = vec![("api_key", KEY.to_owned()), ("connection_id", self.zoe.connection_id.clone())];
        let body = (question.body)(id);
        if question.method == Method::GET {
            query.push(("payload", body.to_string()));
        }
        let path = question.path.replace("{}", id);
        let url = reqwest::Url::parse_with_params(&format!("http://{}{path}", self.server.address), query).unwrap();
        let request = self.client.request(question.method.clone(), url).header("authorization", user_token("zoe"));
        let request = if question.method == Method::GET { request } else { request.json(&body) };
        let request = request.build().unwrap();
        let begun = Instant::now();
        let answered = async {
            let response = self.client.execute(request).await.unwrap();
            assert!(response.status().is_success());
            response.bytes().await.unwrap();
            begun.elapsed()
        };
        let heard = async {
            if question.is_heard {
                self.zoe.next_event().await;
            }
            begun.elapsed()
        };
        tokio::join!(answered, heard)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_clock_tells_who_hides() {
    let directory = tempfile::tempdir().unwrap();
    let flags = [&["--listen", "127.0.0.1:0"][..], &WITHOUT_LIMITS].concat();
    let server = Binary::spawn(&mut command(directory.path(), &flags)).await;
    let (address, client) = (server.address.clone(), Client::new());
    for id in ["absent", "veiled", "zoe"] {
        server.upsert(id, json!({ "status": "Here" })).await.unwrap();
    }
    let mut stage = Stage { server, client, zoe: Person::connect_at(&address, json!({ "id": "zoe" }), "").await };
    let mut unread = None;
    for id in ["absent", "veiled"] {
        let open = json!({ "watch": true, "state": true, "presence": true, "data": { "members": [id, "zoe"] } });
        let path = format!("/channels/messaging/{id}/query");
        stage.zoe.call(Method::POST, &path, open.clone()).await;
        let ada = Person::connect_at(&address, json!({ "id": id }), "").await;
        ada.call(Method::POST, &path, open.clone()).await;
        match id {
            "absent" => ada.says_goodbye().await,
            _ => {
                ada.upsert(json!({ "invisible": true })).await;
                // She reads on a machine of her own: here that would slow down the one who measures.
                unread = Some(ada);
            }
        }
    }
    let mut apart = Vec::new();
    for question in questions() {
        stage.zoe.all_so_far().await;
        let (mut veiled, mut absent) = (Vec::new(), Vec::new());
        for turn in 0..SAMPLES {
            let mut both = [("veiled", &mut veiled), ("absent", &mut absent)];
            if turn % 2 == 0 {
                both.reverse();
            }
            for (id, samples) in both {
                samples.push(stage.measure(&question, id).await);
            }
        }
        let mut compare = |what: &str, part: fn(&(Duration, Duration)) -> Duration| {
            let [mut veiled, mut absent] =
                [&veiled, &absent].map(|samples| samples.iter().map(part).collect::<Vec<_>>());
            let later = superiority(&veiled, &absent);
            let (veiled, absent) = (median(&mut veiled), median(&mut absent));
            let line = format!("{}{what}: {later:.3} ({veiled:?} and {absent:?})", question.name);
            println!("{line}");
            if (later - 0.5).abs() > TOLERANCE {
                apart.push(line);
            }
        };
        compare("", |(answered, _)| *answered);
        if question.is_heard {
            compare(", until it is heard", |(_, heard)| *heard);
        }
    }
    unread.unwrap().all_so_far().await;
    assert!(apart.is_empty(), "the answer about who hides is later with this probability: {apart:#?}");
}
