//! Random histories over three nodes, with what goes wrong between them: when it is quiet again, everybody
//! who watches sees what is so, and nobody was told anything twice.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{interval, timeout};

use crate::Cluster;
use crate::common::proxy::Proxy;
use crate::common::{Person, TestServer};
use crate::faults::{until_cleared, until_ready};

const FLAGS: [&str; 14] = [
    "--node-lease",
    "1s",
    "--drain-window",
    "0s",
    "--offline-grace",
    "300ms",
    "--flaps-per-minute",
    "0",
    "--rate-limit-scale",
    "0",
    "--user-requests-per-minute",
    "0",
    "--idle-timeout",
    "1h",
];
const NODES: usize = 3;
const USERS: [&str; 6] = ["ada", "carl", "dan", "eve", "fay", "gus"];
const WATCHERS: [&str; 3] = ["kim", "lea", "max"];
const CHAPTERS: usize = 3;
const STEPS: usize = 30;

/// A generator whose numbers are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        // Marsaglia's xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// Somebody who watches, and what they know.
struct Watcher {
    person: Person,
    view: BTreeMap<String, bool>,
    /// What the last event about each said.
    told: BTreeMap<String, bool>,
}

impl Watcher {
    /// Watches some users by a request to any node; one that is cut off may refuse.
    async fn watches(&mut self, node: &TestServer, users: &[&str]) {
        self.person.asks_at(node);
        let query = json!({ "filter_conditions": { "id": { "$in": users } }, "presence": true });
        let (_, reply) = self.person.request(Method::GET, "/users", query).await;
        for user in reply["users"].as_array().into_iter().flatten() {
            self.learns(user);
        }
    }

    async fn reads(&mut self) {
        for event in self.person.all_so_far().await {
            if event["type"] != "user.presence.changed" || event["user"]["id"] == self.person.id.as_str() {
                continue;
            }
            let (id, online) = self.learns(&event["user"]);
            let before = self.told.insert(id.clone(), online);
            assert_ne!(before, Some(online), "{} was told twice that {id} is online: {online}", self.person.id);
        }
    }

    fn learns(&mut self, user: &Value) -> (String, bool) {
        let (id, online) = (user["id"].as_str().unwrap().to_owned(), user["online"].as_bool().unwrap());
        self.view.insert(id.clone(), online);
        (id, online)
    }
}

struct World {
    dice: Dice,
    cluster: Cluster,
    ways: Vec<Proxy>,
    nodes: Vec<TestServer>,
    connections: Vec<Person>,
    hidden: BTreeMap<&'static str, bool>,
    watchers: Vec<Watcher>,
    history: Vec<String>,
}

impl World {
    async fn new(cluster: Cluster, seed: u64) -> Self {
        let (mut ways, mut nodes) = (Vec::new(), Vec::new());
        for _ in 0..NODES {
            let way = Proxy::before(&cluster.redis.url()).await;
            nodes.push(TestServer::node(&cluster.database, &way.url(), &FLAGS).await);
            ways.push(way);
        }
        nodes[0].knows(&USERS).await;
        let mut watchers = Vec::new();
        for (name, node) in WATCHERS.iter().zip(&nodes) {
            let person = node.connect(name).await;
            watchers.push(Watcher { person, view: BTreeMap::new(), told: BTreeMap::new() });
        }
        let hidden = USERS.map(|user| (user, false)).into();
        Self { dice: Dice(seed), cluster, ways, nodes, connections: Vec::new(), hidden, watchers, history: Vec::new() }
    }

    async fn step(&mut self) {
        let (user, node) = (USERS[self.dice.below(USERS.len())], self.dice.below(NODES));
        let what = self.dice.below(100);
        self.history.push(format!("{what} {user} {node}"));
        match what {
            0..30 => {
                let person = self.nodes[node].connect(user).await;
                self.connections.push(person);
            }
            30..45 if !self.connections.is_empty() => self.somebody().says_goodbye().await,
            45..60 if !self.connections.is_empty() => self.somebody().vanishes(),
            60..70 => {
                let hidden = self.hidden.get_mut(user).unwrap();
                *hidden = !*hidden;
                let users = json!({ "users": { user: { "id": user, "invisible": *hidden } } });
                self.nodes[node].server_side(Method::POST, "/users", users).await;
            }
            70..85 => {
                let watcher = self.dice.below(WATCHERS.len());
                let some: Vec<_> = USERS.into_iter().filter(|_| self.dice.below(2) == 0).collect();
                self.watchers[watcher].watches(&self.nodes[node], &some).await;
            }
            85..90 => self.ways[node].cut(),
            90..97 => self.ways[node].mend(),
            97 => {
                self.cluster.redis.stop();
                self.cluster.redis.start_again();
            }
            98 => {
                self.cluster.redis.kill();
                self.cluster.redis.start_again();
            }
            _ => {}
        }
    }

    async fn ends(self) {
        for node in self.nodes {
            node.stop().await;
        }
    }

    fn somebody(&mut self) -> Person {
        let place = self.dice.below(self.connections.len());
        self.connections.swap_remove(place)
    }

    /// All is whole again, and everybody comes to know what is so.
    async fn calms_down(&mut self) {
        self.ways.iter().for_each(Proxy::mend);
        for node in &self.nodes {
            until_ready(node, 200).await;
        }
        until_cleared(&self.cluster, NODES).await;
        let connected = |user: &str| self.connections.iter().any(|person| person.id == user);
        let truth = |user: &str| connected(user) && !self.hidden[user];
        for (watcher, node) in self.watchers.iter_mut().zip(&self.nodes) {
            watcher.person.asks_at(node);
            let agrees = async {
                let mut often = interval(Duration::from_millis(50));
                loop {
                    watcher.reads().await;
                    if watcher.view.iter().all(|(user, online)| *online == truth(user)) {
                        return;
                    }
                    often.tick().await;
                }
            };
            if timeout(Duration::from_secs(10), agrees).await.is_err() {
                let truth: BTreeMap<_, _> = watcher.view.keys().map(|user| (user, truth(user))).collect();
                panic!("{} sees {:?}, but so it is: {truth:?}\n{:?}", watcher.person.id, watcher.view, self.history);
            }
        }
    }
}

async fn history(seed: u64) {
    let Some(cluster) = Cluster::new().await else { return };
    let mut world = World::new(cluster, seed).await;
    for _ in 0..CHAPTERS {
        for _ in 0..STEPS {
            world.step().await;
        }
        world.calms_down().await;
    }
    world.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_it_is_quiet_everybody_sees_what_is_so() {
    history(0x5eed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn and_after_another_history_as_well() {
    history(0x0f_ac_e5).await;
}

/// `HISTORIES=1..100 cargo test -p rollcall-server --test cluster -- --ignored histories`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten seconds a history"]
async fn and_after_as_many_histories_as_there_is_time_for() {
    let seeds = std::env::var("HISTORIES").expect("HISTORIES=1..100");
    let (first, end) = seeds.split_once("..").expect("HISTORIES=1..100");
    for seed in first.parse().unwrap()..end.parse().unwrap() {
        println!("history {seed}");
        history(seed).await;
    }
}
