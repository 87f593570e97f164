//! What is said when a node cannot start.

use std::net::TcpListener;

use crate::Cluster;
use crate::common::binary::{command, stderr_of};

async fn refusal(flags: &[&str]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let child = command(directory.path(), flags).args(["--listen", "127.0.0.1:0"]).spawn().unwrap();
    let (status, text) = stderr_of(child).await;
    assert!(!status.success(), "it started: {text}");
    text
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_named_without_its_password() {
    let Some(cluster) = Cluster::new().await else { return };
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = refusal(&["--database", &cluster.database, "--redis", &format!("redis://:hunter2@{nobody}")]).await;
    assert!(text.starts_with("rollcall-server: --redis cannot be used: Redis is out of reach"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    let text = refusal(&["--database", &cluster.database, "--redis", "hunter2"]).await;
    assert!(text.contains("--redis cannot be used: it is not an address like redis://"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn two_redis_that_do_not_belong_together_are_not_taken_for_one() {
    let Some(cluster) = Cluster::new().await else { return };
    let url = cluster.redis.url();
    let text = refusal(&["--database", &cluster.database, "--redis", &format!("{url},{url}")]).await;
    assert!(text.contains("several addresses are for a Redis Cluster"), "{text}");
}

#[tokio::test]
async fn servers_do_not_share_a_file() {
    let text = refusal(&["--redis", "redis://127.0.0.1:1"]).await;
    assert!(text.contains("--redis takes a database that servers can share: --database postgres://"), "{text}");
}
