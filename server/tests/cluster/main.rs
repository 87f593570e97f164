//! Several servers on one Redis and one Postgres, as the people see them who use them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod apart;
#[path = "../common/mod.rs"]
mod common;
mod faults;
mod links;
mod model;
mod orders;
mod outages;
mod start;
mod stories;
mod watchers;

use common::redis::Redis;
use common::{TestServer, postgres};

/// Nodes of one cluster, and what is behind them.
struct Cluster {
    database: String,
    redis: Redis,
}

impl Cluster {
    /// `None` where Redis or Postgres is not installed.
    async fn new() -> Option<Self> {
        let database = postgres::shared()?.database().await;
        Some(Self { database, redis: Redis::start()? })
    }

    async fn node(&self) -> TestServer {
        self.node_with(&[]).await
    }

    async fn node_with(&self, flags: &[&str]) -> TestServer {
        TestServer::node(&self.database, &self.redis.url(), flags).await
    }
}
