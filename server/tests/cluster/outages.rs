//! What lasts for a while and then is over: how soon all is right again, that nothing is told twice, and that
//! nothing which was acknowledged is lost.

use std::time::{Duration, Instant};

use clap::Parser;
use reqwest::Method;
use rollcall_server::cluster::Topic;
use rollcall_server::config::Config;
use serde_json::{Value, json};
use tokio::time::{sleep, sleep_until};

use crate::Cluster;
use crate::common::document::table_of;
use crate::common::person::{next_frame, open_at};
use crate::common::postgres;
use crate::common::proxy::{Proxy, Target};
use crate::common::redis::Redis;
use crate::common::scrape::Scrape;
use crate::common::{Person, TestServer, user_token};
use crate::faults::{keys, until, until_cleared, until_ready};
use crate::stories::{is_online, offline, online};

/// What a machine with other work may take longer.
const SLACK: Duration = Duration::from_millis(700);
/// Until a node has found Redis again, said who is there and asked what it missed.
const REDIS_IS_BACK: Duration = Duration::from_secs(3);
/// The same with Postgres: one try that fails, the longest wait for the next, and connections that are dead.
const POSTGRES_IS_BACK: Duration = Duration::from_secs(9);

fn check(what: &str, since: Instant, bound: Duration) {
    let took = since.elapsed();
    println!("{what}: {took:.1?} of {bound:?}");
    assert!(took <= bound + SLACK, "{what}: {took:?}");
}

async fn flips_so_far(person: &mut Person) -> Vec<Value> {
    let mut events = person.heard_so_far().await;
    events.retain(|event| event["type"] == "user.presence.changed");
    events
}

/// The next flips, in any order.
async fn sees_all(person: &mut Person, count: usize) -> Vec<(String, bool)> {
    let mut seen = Vec::new();
    for _ in 0..count {
        seen.push(person.sees().await);
    }
    seen.sort();
    seen
}

/// Whoever comes and goes while Redis is away for so long is told about when it is back.
async fn redis_is_away(lease: &str, outage: Duration) {
    let Some(mut cluster) = Cluster::new().await else { return };
    let flags = ["--node-lease", lease, "--idle-timeout", "1h"];
    let (a, b) = (cluster.node_with(&flags).await, cluster.node_with(&flags).await);
    let (ada, carl, eve) = (b.connect("ada").await, b.connect("carl").await, a.connect("eve").await);
    b.knows(&["dan"]).await;
    let (mut bob, mut zoe) = (a.connect("bob").await, b.connect("zoe").await);
    let everybody = ["ada", "carl", "dan", "eve"];
    for person in [&bob, &zoe] {
        assert_eq!(is_online(&person.watch_users(&everybody).await), [true, true, false, true]);
    }

    let stopped = Instant::now();
    cluster.redis.stop();
    for node in [&a, &b] {
        Scrape::until(node, |now| now.get("rollcall_in_doubt") == 1.0).await;
    }
    carl.says_goodbye().await;
    eve.says_goodbye().await;
    let _dan = b.connect("dan").await;
    ada.upsert(json!({ "status": "still here" })).await;
    sleep_until((stopped + outage).into()).await;
    cluster.redis.start_again();
    let back = Instant::now();
    for person in [&mut bob, &mut zoe] {
        assert_eq!(sees_all(person, 3).await, [offline("carl"), online("dan"), offline("eve")]);
        check("Redis was away", back, REDIS_IS_BACK);
    }
    until_cleared(&cluster, 2).await;
    for person in [&mut bob, &mut zoe] {
        assert_eq!(flips_so_far(person).await, [] as [Value; 0]);
        assert_eq!(is_online(&person.watch_users(&everybody).await), [true, false, true, false]);
    }
    assert_eq!(a.user("ada").await["status"], "still here");
}

#[test]
fn the_bounds_are_those_that_operators_read() {
    let Config { node_lease: lease, offline_grace: grace, limits, .. } = Config::parse_from(["rollcall-server"]);
    let bounds = [
        lease * 4 / 3,
        lease * 4 / 3,
        REDIS_IS_BACK,
        REDIS_IS_BACK + lease * 5 / 3,
        POSTGRES_IS_BACK,
        limits.idle_timeout + grace,
    ];
    let told: Vec<_> =
        table_of("docs/OPERATIONS.md", "When something fails").iter().map(|row| row[2].clone()).collect();
    assert_eq!(told, bounds.map(|bound| format!("{:.1} s", bound.as_secs_f64())));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_left_while_redis_was_away_for_a_moment_is_no_ghost_until_a_lease_ends() {
    let Some(mut cluster) = Cluster::new().await else { return };
    let flags = ["--node-lease", "10s", "--idle-timeout", "1h"];
    let (a, b) = (cluster.node_with(&flags).await, cluster.node_with(&flags).await);
    let (ada, carl, eve) = (b.connect("ada").await, b.connect("carl").await, a.connect("eve").await);
    let (mut bob, mut zoe) = (a.connect("bob").await, b.connect("zoe").await);
    for person in [&bob, &zoe] {
        assert_eq!(is_online(&person.watch_users(&["ada", "carl", "eve"]).await), [true; 3]);
    }
    cluster.redis.stop();
    let stopped = Instant::now();
    for node in [&a, &b] {
        until_ready(node, 503).await;
    }
    carl.says_goodbye().await;
    // To another node, and nobody is to see it.
    eve.says_goodbye().await;
    let _eve = b.connect("eve").await;
    sleep_until((stopped + Duration::from_secs(2)).into()).await;
    cluster.redis.start_again();
    let back = Instant::now();
    for person in [&mut bob, &mut zoe] {
        assert_eq!(person.sees().await, offline("carl"));
        check("Redis was away for a moment", back, REDIS_IS_BACK);
    }
    until_cleared(&cluster, 2).await;
    ada.says_goodbye().await;
    for person in [&mut bob, &mut zoe] {
        assert_eq!(person.sees().await, offline("ada"));
        assert_eq!(person.heard_so_far().await, [] as [Value; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_redis_was_away_for_longer_than_two_leases_all_is_right_soon_after() {
    redis_is_away("1s", Duration::from_millis(2_500)).await;
}

/// `cargo test -p rollcall-server --test cluster -- --ignored minute`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes more than a minute"]
async fn when_redis_was_away_for_a_minute_all_is_right_soon_after() {
    redis_is_away("10s", Duration::from_secs(60)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_redis_fails_over_to_a_replica_that_lacks_the_last_writes_nobody_flaps_and_nobody_haunts() {
    let Some(mut cluster) = Cluster::new().await else { return };
    let Some(replica) = Redis::start() else { return };
    let lease = Duration::from_secs(1);
    let flags = ["--node-lease", "1s"];
    let way = Proxy::before(&cluster.redis.url()).await;
    let a = TestServer::node(&cluster.database, &way.url(), &flags).await;
    let b = TestServer::node(&cluster.database, &way.url(), &flags).await;
    b.knows(&["carl"]).await;
    let (ada, dan) = (b.connect("ada").await, b.connect("dan").await);
    let mut bob = a.connect("bob").await;
    assert_eq!(is_online(&bob.watch_users(&["ada", "carl", "dan"]).await), [true, false, true]);
    let port = cluster.redis.url().rsplit(':').next().unwrap().to_owned();
    replica.ask(&format!("REPLICAOF 127.0.0.1 {port}"));
    let key = || replica.ask("KEYS rollcall:*user:dan").lines().last().unwrap().to_owned();
    until(async || key().ends_with("user:dan")).await;
    let dan_online = format!("HGET {} online", key());

    replica.ask("REPLICAOF NO ONE");
    let carl = b.connect("carl").await;
    assert_eq!(bob.sees().await, online("carl"));
    dan.says_goodbye().await;
    assert_eq!(bob.sees().await, offline("dan"));
    cluster.redis.kill();
    way.leads_to(&replica.url());
    cluster.redis = replica;
    let failed = Instant::now();
    assert!(cluster.redis.ask(&dan_online).ends_with('1'), "the replica has the last writes");
    until(async || cluster.redis.ask(&dan_online).ends_with('0')).await;
    check("Redis failed over", failed, REDIS_IS_BACK + lease * 4 / 3);
    // Nothing tells that somebody will not be told of any more.
    sleep(lease).await;
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
    assert_eq!(is_online(&bob.watch_users(&["ada", "carl", "dan"]).await), [true, true, false]);
    carl.says_goodbye().await;
    assert_eq!(bob.sees().await, offline("carl"));
    ada.says_goodbye().await;
    assert_eq!(bob.sees().await, offline("ada"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_said_of_themselves_while_a_node_was_cut_off_is_heard_there_afterwards() {
    let Some(cluster) = Cluster::new().await else { return };
    let flags = ["--node-lease", "1s"];
    let a = cluster.node_with(&flags).await;
    let way = Proxy::before(&cluster.redis.url()).await;
    let b = TestServer::node(&cluster.database, &way.url(), &flags).await;
    let (bob, carl) = (a.connect("bob").await, a.connect("carl").await);
    let mut ada = b.connect("ada").await;
    assert_eq!(is_online(&ada.watch_users(&["bob", "carl"]).await), [true, true]);
    bob.upsert(json!({ "status": "told already" })).await;
    assert_eq!(ada.hears("user.updated").await["user"]["status"], "told already");
    way.cut();
    until_ready(&b, 503).await;
    carl.upsert(json!({ "status": "at lunch" })).await;
    way.mend_for_new();
    let back = Instant::now();
    let event = ada.hears("user.updated").await;
    check("a profile was changed meanwhile", back, REDIS_IS_BACK);
    assert_eq!((&event["user"]["status"], &event["user"]["online"]), (&json!("at lunch"), &json!(true)));
    let again = ada.heard_so_far().await;
    assert!(!again.iter().any(|event| event["type"] == "user.updated"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_removed_or_revoked_while_a_node_was_cut_off_is_put_out_there_afterwards() {
    let Some(cluster) = Cluster::new().await else { return };
    let flags = ["--node-lease", "1s"];
    let a = cluster.node_with(&flags).await;
    let way = Proxy::before(&cluster.redis.url()).await;
    let b = TestServer::node(&cluster.database, &way.url(), &flags).await;
    let ada = a.connect("ada").await;
    let (mut bob, carl, mut dan) = (b.connect("bob").await, b.connect("carl").await, b.connect("dan").await);
    let opens = async |channel: &str, members: &[&str]| {
        let body = json!({ "data": { "members": members } });
        ada.call(Method::POST, &format!("/channels/messaging/{channel}/query"), body).await;
    };
    for channel in ["board", "picnic"] {
        opens(channel, &["ada", "bob", "dan"]).await;
        for person in [&bob, &dan] {
            let path = format!("/channels/messaging/{channel}/query");
            person.call(Method::POST, &path, json!({ "watch": true, "state": true })).await;
        }
    }
    let is_in_doubt = async |in_doubt: f64| {
        Scrape::until(&b, |now| now.get("rollcall_in_doubt") == in_doubt).await;
    };

    way.cut();
    is_in_doubt(1.0).await;
    let revoked = json!({ "revoke_tokens_issued_before": rollcall_server::store::now() });
    ada.call(Method::POST, "/channels/messaging/board", json!({ "remove_members": ["bob"] })).await;
    ada.call(Method::DELETE, "/channels/messaging/picnic", json!({})).await;
    a.server_side(Method::PATCH, "/users", json!({ "users": [{ "id": "carl", "set": revoked }] })).await;
    way.mend_for_new();
    is_in_doubt(0.0).await;
    assert_eq!(carl.hears_close().await, Some(1012));
    opens("picnic", &["ada"]).await;
    for channel in ["picnic", "board"] {
        let body = json!({ "message": { "text": channel } });
        ada.call(Method::POST, &format!("/channels/messaging/{channel}/message"), body).await;
    }
    assert_eq!(dan.hears("message.new").await["message"]["text"], "board");
    let heard = bob.all_so_far().await;
    assert!(!heard.iter().any(|event| event["type"] == "message.new"), "{heard:?}");

    way.cut();
    is_in_doubt(1.0).await;
    a.server_side(Method::PATCH, "/app", revoked).await;
    way.mend_for_new();
    assert_eq!((bob.hears_close().await, dan.hears_close().await), (Some(1012), Some(1012)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_cut_off_from_postgres_alone_tells_what_happened_when_it_is_back() {
    let Some(cluster) = Cluster::new().await else { return };
    let Some(postgres) = postgres::shared() else { return };
    let way = Proxy::to(Target::Unix(postgres.socket())).await;
    let database = cluster.database.split('?').next().unwrap().replace("localhost:5432", &way.address());
    let a = cluster.node_with(&["--node-lease", "1s"]).await;
    let b = TestServer::node(&database, &cluster.redis.url(), &["--node-lease", "1s"]).await;
    let (ada, carl) = (b.connect("ada").await, b.connect("carl").await);
    ada.upsert(json!({ "status": "written" })).await;
    let mut bob = a.connect("bob").await;
    assert_eq!(is_online(&bob.watch_users(&["ada", "carl"]).await), [true, true]);

    way.cut();
    until_ready(&b, 503).await;
    let _phone = a.connect("carl").await;
    carl.says_goodbye().await;
    ada.says_goodbye().await;
    Scrape::until(&b, |now| now.get("rollcall_untold_changes") > 0.0).await;
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
    // Those there were are dead, as after a change of address.
    way.mend_for_new();
    let back = Instant::now();
    assert_eq!(bob.sees().await, offline("ada"));
    check("a node was cut off from Postgres", back, POSTGRES_IS_BACK);
    until_ready(&b, 200).await;
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
    assert_eq!(is_online(&bob.watch_users(&["ada", "carl"]).await), [false, true]);
    assert_eq!(b.user("ada").await["status"], "written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_cut_off_from_its_clients_gives_up_those_who_do_not_come_back_elsewhere() {
    let Some(cluster) = Cluster::new().await else { return };
    let (idle, grace) = (Duration::from_secs(2), Duration::from_millis(700));
    let flags = ["--ping-after", "1s", "--idle-timeout", "2s", "--offline-grace", "700ms"];
    let (a, b) = (cluster.node().await, cluster.node_with(&flags).await);
    let way = Proxy::to(Target::Tcp(b.address.to_string())).await;
    let connect = |user: &str| {
        let user = json!({ "id": user });
        let address = way.address();
        async move { Person::connect_at(&address, user, "").await }
    };
    let (ada, _eve) = (connect("ada").await, connect("eve").await);
    let mut bob = a.connect("bob").await;
    assert_eq!(is_online(&bob.watch_users(&["ada", "eve"]).await), [true, true]);

    way.cut();
    let cut = Instant::now();
    let _elsewhere = a.connect("eve").await;
    assert_eq!(bob.sees().await, offline("ada"));
    check("a node was cut off from its clients", cut, idle + grace);
    way.mend();
    assert_eq!(ada.hears_close().await, Some(4000));
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
    assert_eq!(is_online(&bob.watch_users(&["ada", "eve"]).await), [false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_arrives_slowly_is_not_deaf_to_what_other_nodes_say_to_them() {
    use sqlx::{ConnectOptions, Executor};
    let Some(cluster) = Cluster::new().await else { return };
    let flags = ["--node-lease", "1s"];
    let (a, b) = (cluster.node_with(&flags).await, cluster.node_with(&flags).await);
    let zoe = b.connect("zoe").await;
    let watch = || zoe.call(Method::POST, "/channels/livestream/show/query", json!({ "watch": true }));
    watch().await;
    let hearers = |topic: Topic| {
        let answer = cluster.redis.ask(&format!("PUBSUB SHARDNUMSUB {}", keys().topic(&topic)));
        answer.rsplit(':').next().unwrap().to_owned()
    };

    // Nobody can be written for a while.
    let options: sqlx::postgres::PgConnectOptions = cluster.database.parse().unwrap();
    let mut other = options.connect().await.unwrap();
    other.execute("BEGIN; LOCK TABLE users IN EXCLUSIVE MODE").await.unwrap();
    let details = json!({ "user_id": "ada", "user_details": { "id": "ada", "status": "here at last" } });
    let query = [("json", details.to_string()), ("authorization", user_token("ada"))];
    let mut ada = open_at(&b.address.to_string(), &query).await;
    until(async || hearers(Topic::User("ada".into())) == "1").await;
    // Until topics end that are wanted no longer, and were wanted later than this one.
    watch().await;
    zoe.call(Method::POST, "/channels/livestream/show/stop-watching", json!({})).await;
    until(async || hearers(Topic::Channel("livestream:show".into())) == "0").await;
    other.execute("ROLLBACK").await.unwrap();

    assert_eq!(next_frame(&mut ada).await["me"]["status"], "here at last");
    a.server_side(Method::POST, "/users/ada/event", json!({ "event": { "type": "wave" } })).await;
    while next_frame(&mut ada).await["type"] != "wave" {}
}
