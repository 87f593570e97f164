//! What goes wrong in a Redis Cluster, or is changed there by those who operate it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::interval;

use crate::Cluster;
use crate::common::binary::{Binary, command};
use crate::common::scrape::Scrape;
use crate::common::{Person, TestServer};
use crate::stories::{is_online, offline};

const FLAGS: [&str; 2] = ["--node-lease", "1s"];
/// So many that each master has some of them.
const IDS: [&str; 8] = ["ada", "carl", "dan", "eve", "fay", "gus", "hal", "ida"];

/// Everybody is connected to the second node, and Bob watches them on the first.
async fn crowd(cluster: &Cluster) -> (TestServer, TestServer, Person, Vec<Person>) {
    let (a, b) = (cluster.node_with(&FLAGS).await, cluster.node_with(&FLAGS).await);
    let mut people = Vec::new();
    for id in IDS {
        people.push(b.connect(id).await);
    }
    let bob = a.connect("bob").await;
    assert_eq!(is_online(&bob.watch_users(&IDS).await), [true; 8]);
    (a, b, bob, people)
}

async fn until_in_doubt(nodes: [&TestServer; 2], in_doubt: f64) {
    for node in nodes {
        Scrape::until(node, |now| now.get("rollcall_in_doubt") == in_doubt).await;
    }
}

/// Nobody flapped, and who leaves from now on is seen to.
async fn all_is_well(mut bob: Person, people: Vec<Person>) {
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
    for person in people {
        let id = person.id.clone();
        person.says_goodbye().await;
        assert_eq!(bob.sees().await, offline(&id));
    }
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_master_dies_its_replica_takes_over_and_nobody_flaps() {
    let Some(mut cluster) = Cluster::with_replicas(1).await else { return };
    let (a, b, bob, people) = crowd(&cluster).await;
    // It is the one whose address the servers were given.
    cluster.redis.masters[0].kill();
    until_in_doubt([&a, &b], 1.0).await;
    until_in_doubt([&a, &b], 0.0).await;
    all_is_well(bob, people).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_moves_to_another_master_is_followed() {
    let Some(cluster) = Cluster::new().await else { return };
    let (a, _b, bob, people) = crowd(&cluster).await;
    let (key, from) = cluster.redis.find("user:ada");
    let slot = cluster.redis.masters[from].ask(&format!("CLUSTER KEYSLOT {key}"));
    cluster.redis.move_slot(slot.trim_start_matches(':'), from, (from + 1) % 3);
    // Also where nothing is said to the slot, but somebody is listened to there.
    Scrape::until(&a, |now| now.get("rollcall_redis_errors_total") > 0.0).await;
    all_is_well(bob, people).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_on_a_dead_server_goes_offline_in_time_also_when_a_slot_moved_and_nobody_noticed() {
    let Some(cluster) = Cluster::new().await else { return };
    let lease = Duration::from_secs(5);
    let a = cluster.node_with(&["--node-lease", "5s"]).await;
    let directory = tempfile::tempdir().unwrap();
    let url = cluster.redis.url();
    let flags = ["--listen", "127.0.0.1:0", "--dev-tokens", "--database", &cluster.database, "--redis", &url];
    let mut b = Binary::spawn(command(directory.path(), &flags).args(["--node-lease", "5s"])).await;
    let connect = |user: &str| Person::connect_at(&b.address, json!({ "id": user }), "");
    let (_ada, _carl) = (connect("ada").await, connect("carl").await);
    let mut bob = a.connect("bob").await;
    assert_eq!(is_online(&bob.watch_users(&["ada"]).await), [true]);
    // A server clears up after others only once it has been there for a while.
    let (leases, place) = cluster.redis.find("{nodes}leases");
    let leader = &cluster.redis.masters[place];
    leader.ask(&format!("ZADD {leases} 1 nobody-1"));
    let ended = leases.replace("leases", "ended");
    let mut often = interval(Duration::from_millis(20));
    while leader.ask(&format!("ZCARD {leases}")) != ":2" || leader.ask(&format!("ZCARD {ended}")) != ":0" {
        often.tick().await;
    }

    let killed = Instant::now();
    b.child.kill().await.unwrap();
    // Nobody who is left listens there.
    let (key, from) = cluster.redis.find("user:carl");
    let slot = cluster.redis.masters[from].ask(&format!("CLUSTER KEYSLOT {key}"));
    cluster.redis.move_slot(slot.trim_start_matches(':'), from, (from + 1) % 3);
    assert_eq!(bob.sees().await, offline("ada"));
    let took = killed.elapsed();
    let bound = lease * 4 / 3 + Duration::from_millis(1_250 + 700);
    println!("a lease ended, and a slot had moved: {took:.1?} of {bound:?}");
    assert!(took <= bound, "{took:?}");
    assert_eq!(bob.heard_so_far().await, [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_does_not_answer_puts_servers_in_doubt_until_it_does() {
    let Some(mut cluster) = Cluster::new().await else { return };
    let (a, b, bob, people) = crowd(&cluster).await;
    // Not the one where leases are renewed.
    let place = (cluster.redis.find("{nodes}leases").1 + 1) % 3;
    cluster.redis.masters[place].freeze();
    until_in_doubt([&a, &b], 1.0).await;
    cluster.redis.masters[place].thaw();
    until_in_doubt([&a, &b], 0.0).await;
    let _kim = b.connect("kim").await;
    assert_eq!(is_online(&bob.watch_users(&["kim"]).await), [true]);
    all_is_well(bob, people).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_forgets_who_vouches_for_whom_leaves_no_ghost() {
    let Some(mut cluster) = Cluster::new().await else { return };
    let (a, b, bob, people) = crowd(&cluster).await;
    let (_, place) = cluster.redis.find("{nodes}leases");
    let master = &mut cluster.redis.masters[place];
    master.ask("FLUSHALL");
    master.ask("SAVE");
    master.kill();
    until_in_doubt([&a, &b], 1.0).await;
    master.start_again();
    until_in_doubt([&a, &b], 0.0).await;
    all_is_well(bob, people).await;
}
