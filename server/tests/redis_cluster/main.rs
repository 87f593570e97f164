//! The stories of several servers once more, on a Redis Cluster of three masters; and what only happens to one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

#[path = "../common/mod.rs"]
mod common;
mod faults;
#[path = "../cluster/stories.rs"]
mod stories;

use common::redis::RedisCluster;
use common::{TestServer, postgres};

/// Nodes of one cluster, and what is behind them.
struct Cluster {
    database: String,
    redis: RedisCluster,
}

impl Cluster {
    /// `None` where Redis or Postgres is not installed.
    async fn new() -> Option<Self> {
        Self::with_replicas(0).await
    }

    /// The first master has so many.
    async fn with_replicas(replicas: usize) -> Option<Self> {
        let database = postgres::shared()?.database().await;
        Some(Self { database, redis: RedisCluster::start(replicas)? })
    }

    async fn node(&self) -> TestServer {
        self.node_with(&[]).await
    }

    async fn node_with(&self, flags: &[&str]) -> TestServer {
        TestServer::node(&self.database, &self.redis.url(), flags).await
    }
}
