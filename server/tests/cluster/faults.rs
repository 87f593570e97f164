//! What goes wrong with nodes, with Redis, and between them: how soon it shows, that it shows once, and that it
//! heals by itself.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rollcall_server::cluster::keys::Keys;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use crate::Cluster;
use crate::common::binary::{Binary, command};
use crate::common::postgres::Postgres;
use crate::common::proxy::Proxy;
use crate::common::redis::Redis;
use crate::common::scrape::Scrape;
use crate::common::{KEY, Person, TestServer};
use crate::stories::{is_online, offline, online};

const FLAGS: [&str; 2] = ["--node-lease", "1s"];
/// When a lease has ended, others notice within a third of theirs; and a little for the rest.
const BOUND: Duration = Duration::from_millis(1_333 + 700);

/// A node that is a process of its own, which can be killed.
async fn process(cluster: &Cluster) -> (Binary, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let redis = cluster.redis.url();
    let flags = ["--listen", "127.0.0.1:0", "--dev-tokens", "--database", &cluster.database, "--redis", &redis];
    let binary = Binary::spawn(command(directory.path(), &flags).args(FLAGS)).await;
    (binary, directory)
}

async fn connect_to(node: &Binary, user: &str) -> Person {
    Person::connect_at(&node.address, json!({ "id": user }), "").await
}

/// Looks again and again until it is so.
pub async fn until(is_so: impl AsyncFn() -> bool) {
    let looking = async {
        let mut often = interval(Duration::from_millis(20));
        while !is_so().await {
            often.tick().await;
        }
    };
    timeout(Duration::from_secs(20), looking).await.expect("in time");
}

pub async fn until_ready(node: &TestServer, status: u16) {
    until(async || reqwest::get(node.url("/readyz")).await.unwrap().status().as_u16() == status).await;
}

/// What the nodes' keys are called.
pub fn keys() -> Keys {
    Keys::new(KEY, 0)
}

/// Until nothing is left to be cleared up after leases that ended.
pub async fn until_cleared(cluster: &Cluster, nodes: usize) {
    let keys = keys();
    let count = |set: String| cluster.redis.ask(&format!("ZCARD {set}"));
    until(async || count(keys.leases()) == format!(":{nodes}") && count(keys.ended()) == ":0").await;
}

/// A node clears up after others only once it has been in the cluster for a while: until one does.
async fn until_somebody_clears_up(cluster: &Cluster, nodes: usize) {
    cluster.redis.ask(&format!("ZADD {} 1 nobody-1", keys().leases()));
    until_cleared(cluster, nodes).await;
}

/// The next flip of others, which comes within the bound from `since` on.
async fn sees_in_time(person: &mut Person, since: Instant) -> (String, bool) {
    let flip = person.sees().await;
    let took = since.elapsed();
    println!("a lease ended: {took:.1?}");
    assert!(took <= BOUND, "{flip:?} took {took:?}");
    flip
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_node_is_killed_its_users_go_offline_once_and_in_time() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, c) = (cluster.node_with(&FLAGS).await, cluster.node_with(&FLAGS).await);
    let (mut b, _directory) = process(&cluster).await;
    let (_ada, _eve) = (connect_to(&b, "ada").await, connect_to(&b, "eve").await);
    let _elsewhere = c.connect("eve").await;
    let mut watchers = [a.connect("bob").await, c.connect("kim").await];
    for watcher in &mut watchers {
        assert_eq!(is_online(&watcher.watch_users(&["ada", "eve"]).await), [true, true]);
    }
    until_somebody_clears_up(&cluster, 3).await;

    let killed = Instant::now();
    b.child.kill().await.unwrap();
    for watcher in &mut watchers {
        assert_eq!(sees_in_time(watcher, killed).await, offline("ada"));
    }
    for watcher in &mut watchers {
        assert_eq!(watcher.heard_so_far().await, [] as [Value; 0]);
        assert_eq!(is_online(&watcher.watch_users(&["ada", "eve"]).await), [false, true]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_stopped_for_longer_than_its_lease_comes_back_by_itself() {
    let Some(cluster) = Cluster::new().await else { return };
    let a = cluster.node_with(&FLAGS).await;
    let (b, _directory) = process(&cluster).await;
    let mut ada = connect_to(&b, "ada").await;
    let carl = a.connect("carl").await;
    let mut bob = a.connect("bob").await;
    assert_eq!(is_online(&bob.watch_users(&["ada"]).await), [true]);
    assert_eq!(is_online(&ada.watch_users(&["carl"]).await), [true]);
    until_somebody_clears_up(&cluster, 2).await;

    let stopped = Instant::now();
    b.signal("-STOP").await;
    assert_eq!(sees_in_time(&mut bob, stopped).await, offline("ada"));
    carl.says_goodbye().await;
    b.signal("-CONT").await;
    assert_eq!(bob.sees().await, online("ada"));
    assert_eq!(ada.sees().await, offline("carl"));
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
    assert_eq!(ada.heard_so_far().await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_restarts_or_forgets_all_makes_nobody_flap() {
    let Some(mut cluster) = Cluster::new().await else { return };
    let (a, b) = (cluster.node_with(&FLAGS).await, cluster.node_with(&FLAGS).await);
    let (ada, carl) = (b.connect("ada").await, b.connect("carl").await);
    let mut bob = a.connect("bob").await;
    assert_eq!(is_online(&bob.watch_users(&["ada", "carl"]).await), [true, true]);

    // With what it knew, and Carl leaves meanwhile.
    cluster.redis.stop();
    until_ready(&b, 503).await;
    carl.says_goodbye().await;
    cluster.redis.start_again();
    assert_eq!(bob.sees().await, offline("carl"));
    // Without, and a new one comes meanwhile.
    cluster.redis.ask("FLUSHALL");
    cluster.redis.ask("SAVE");
    cluster.redis.kill();
    until_ready(&b, 503).await;
    let eve = b.connect("eve").await;
    cluster.redis.start_again();
    until_ready(&a, 200).await;
    until_ready(&b, 200).await;
    eve.says_goodbye().await;
    ada.says_goodbye().await;
    assert_eq!(bob.sees().await, offline("ada"));
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_lost_together_with_what_redis_knew_goes_offline_all_the_same() {
    let Some(mut cluster) = Cluster::new().await else { return };
    let a = cluster.node_with(&FLAGS).await;
    let (mut b, _directory) = process(&cluster).await;
    let _ada = connect_to(&b, "ada").await;
    let mut bob = a.connect("bob").await;
    assert_eq!(is_online(&bob.watch_users(&["ada"]).await), [true]);
    cluster.redis.kill();
    b.child.kill().await.unwrap();
    cluster.redis.start_again();
    assert_eq!(bob.sees().await, offline("ada"));
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_cut_off_is_not_believed_for_longer_than_its_lease_and_heals() {
    let Some(cluster) = Cluster::new().await else { return };
    let a = cluster.node_with(&FLAGS).await;
    let proxy = Proxy::before(&cluster.redis.url()).await;
    let b = TestServer::node(&cluster.database, &proxy.url(), &FLAGS).await;
    let mut ada = b.connect("ada").await;
    let carl = a.connect("carl").await;
    let mut bob = a.connect("bob").await;
    assert_eq!(is_online(&bob.watch_users(&["ada"]).await), [true]);
    assert_eq!(is_online(&ada.watch_users(&["carl"]).await), [true]);
    until_somebody_clears_up(&cluster, 2).await;

    let cut = Instant::now();
    proxy.cut();
    assert_eq!(sees_in_time(&mut bob, cut).await, offline("ada"));
    until_ready(&b, 503).await;
    carl.says_goodbye().await;
    let (_dan, phone) = (b.connect("dan").await, b.connect("ada").await);
    phone.says_goodbye().await;
    proxy.mend();
    assert_eq!(bob.sees().await, online("ada"));
    assert_eq!(ada.sees().await, offline("carl"));
    assert_eq!(is_online(&bob.watch_users(&["dan"]).await), [true]);
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
    assert_eq!(ada.heard_so_far().await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asked_is_told_that_their_server_is_in_doubt_and_when_it_is_no_more() {
    let Some(cluster) = Cluster::new().await else { return };
    let a = cluster.node_with(&FLAGS).await;
    let proxy = Proxy::before(&cluster.redis.url()).await;
    let b = TestServer::node(&cluster.database, &proxy.url(), &FLAGS).await;
    let carl = a.connect("carl").await;
    let mut ada = Person::connect_asking(&b, json!({ "id": "ada" }), "doubt").await;
    let mut eve = b.connect("eve").await;
    assert_eq!((&ada.hello["rollcall"], &ada.hello["in_doubt"]), (&json!(["doubt"]), &Value::Null));
    let mut bob = a.connect("bob").await;
    for person in [&ada, &eve, &bob] {
        assert_eq!(is_online(&person.watch_users(&["carl"]).await), [true]);
    }

    proxy.cut();
    let doubt = ada.hears("connection.doubt").await;
    assert_eq!(doubt["in_doubt"], true);
    let phone = Person::connect_asking(&b, json!({ "id": "ada" }), "doubt").await;
    assert_eq!(phone.hello["in_doubt"], true);
    carl.says_goodbye().await;
    assert_eq!(bob.sees().await, offline("carl"));
    proxy.mend();
    // First what was missed.
    let kinds = [ada.next_event().await, ada.next_event().await];
    assert_eq!(kinds.each_ref().map(|event| &event["type"]), ["user.presence.changed", "connection.doubt"]);
    assert_eq!((&kinds[0]["user"]["id"], &kinds[1]["in_doubt"]), (&json!("carl"), &json!(false)));
    assert_eq!(eve.sees().await, offline("carl"));
    assert_eq!(eve.heard_so_far().await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_redis_answers_again_whoever_is_first_gives_the_others_time_to_come_back() {
    let Some(mut cluster) = Cluster::new().await else { return };
    let flags = ["--node-lease", "3s"];
    let a = cluster.node_with(&flags).await;
    let proxy = Proxy::before(&cluster.redis.url()).await;
    let b = TestServer::node(&cluster.database, &proxy.url(), &flags).await;
    let ada = b.connect("ada").await;
    let mut bob = a.connect("bob").await;
    assert_eq!(is_online(&bob.watch_users(&["ada"]).await), [true]);
    proxy.cut();
    cluster.redis.stop();
    for node in [&a, &b] {
        Scrape::until(node, |now| now.get("rollcall_in_doubt") == 1.0).await;
    }
    cluster.redis.start_again();
    until_ready(&a, 200).await;
    // The first has renewed its lease, and could have looked at those of others.
    let newest = || cluster.redis.ask(&format!("ZRANGE {} 0 0 REV WITHSCORES", keys().leases()));
    let before = newest();
    until(async || newest() != before).await;
    proxy.mend();
    until_cleared(&cluster, 2).await;
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
    ada.says_goodbye().await;
    assert_eq!(bob.sees().await, offline("ada"));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgres_is_away_nothing_is_told_and_afterwards_all_of_it() {
    let Some(mut postgres) = Postgres::start() else { return };
    let Some(redis) = Redis::start() else { return };
    let cluster = Cluster { database: postgres.database().await, redis };
    let (a, b) = (cluster.node_with(&FLAGS).await, cluster.node_with(&FLAGS).await);
    let (ada, carl) = (b.connect("ada").await, b.connect("carl").await);
    let mut bob = a.connect("bob").await;
    assert_eq!(is_online(&bob.watch_users(&["ada", "carl"]).await), [true, true]);
    postgres.stop();
    until_ready(&b, 503).await;
    ada.says_goodbye().await;
    Scrape::until(&b, |now| now.get("rollcall_untold_changes") > 0.0).await;
    postgres.start_again();
    assert_eq!(bob.sees().await, offline("ada"));
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
    carl.says_goodbye().await;
    assert_eq!(bob.sees().await, offline("carl"));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_rolling_restart_nobody_flaps_who_comes_back() {
    let Some(cluster) = Cluster::new().await else { return };
    let flags = [&FLAGS[..], &["--offline-grace", "4s", "--drain-window", "0s"]].concat();
    let watching = cluster.node_with(&flags).await;
    let ids = ["ada", "carl", "dan", "eve", "fay", "gus", "hal", "ida"];
    let mut node = cluster.node_with(&flags).await;
    let mut people = join_all(ids.map(|id| node.connect(id))).await;
    let mut bob = watching.connect("bob").await;
    assert_eq!(is_online(&bob.watch_users(&ids).await), [true; 8]);
    for _ in 0..2 {
        let next = cluster.node_with(&flags).await;
        let stopping = tokio::spawn(node.stop());
        let comes_back = async |person: Person| {
            let id = person.id.clone();
            assert_eq!(person.hears_close().await, Some(1001));
            next.connect(&id).await
        };
        people = join_all(people.into_iter().map(comes_back)).await;
        stopping.await.unwrap();
        node = next;
    }
    until_cleared(&cluster, 2).await;
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
    join_all(people.into_iter().map(Person::says_goodbye)).await;
    let mut gone = Vec::new();
    for _ in ids {
        gone.push(bob.sees().await);
    }
    gone.sort();
    assert_eq!(gone, ids.map(offline));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_come_back_after_a_node_was_stopped_goes_offline_after_the_grace() {
    let Some(cluster) = Cluster::new().await else { return };
    let more = ["--offline-grace", "1s", "--drain-window", "0s", "--shutdown-timeout", "2s"];
    let flags = [&FLAGS[..], &more].concat();
    let (a, b) = (cluster.node_with(&flags).await, cluster.node_with(&flags).await);
    let _ada = b.connect("ada").await;
    let mut bob = a.connect("bob").await;
    assert_eq!(is_online(&bob.watch_users(&["ada"]).await), [true]);
    // Who never ends a request holds up no goodbye.
    let mut dawdler = TcpStream::connect(b.address).await.unwrap();
    dawdler.write_all(b"GET /healthz HTTP/1.1\r\nhost: local").await.unwrap();
    until_somebody_clears_up(&cluster, 2).await;
    let stopped = Instant::now();
    b.stop().await;
    let flip = bob.sees().await;
    assert_eq!(flip, offline("ada"));
    assert!(stopped.elapsed() >= Duration::from_secs(1), "after {:?}", stopped.elapsed());
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
}
