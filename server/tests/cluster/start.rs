//! What is said when a node cannot start.

use std::net::TcpListener;

use crate::Cluster;
use crate::common::binary::{Binary, command, stderr_of};
use crate::common::postgres;
use crate::common::redis::Redis;

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

#[tokio::test]
async fn a_redis_that_speaks_tls_is_one_whose_certificate_is_trusted() {
    let Some(postgres) = postgres::shared() else { return };
    let directory = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = directory.path().join("cert.pem");
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(directory.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let Some((_redis, url)) = Redis::start_with_tls(directory.path()) else { return };
    let flags = ["--database", &postgres.database().await, "--redis", &url];

    let text = refusal(&flags).await;
    assert!(text.contains("--redis cannot be used") && text.contains("UnknownIssuer"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");

    let mut trusting = command(directory.path(), &flags);
    let server = Binary::spawn(trusting.args(["--listen", "127.0.0.1:0"]).env("SSL_CERT_FILE", &certificate)).await;
    let ready = reqwest::get(format!("http://{}/readyz", server.address)).await.unwrap();
    assert_eq!(ready.status(), 200);
}
