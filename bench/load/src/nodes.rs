//! The nodes under load, on engines that somebody else has started.

use std::iter::Sum;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::process::Process;
use crate::server::Server;

/// Several nodes on the same engines; without engines, one that needs none.
#[derive(Clone, Debug, clap::Args)]
pub struct Nodes {
    /// Nodes; more than one need --redis and --database
    #[arg(long, default_value_t = 1)]
    pub nodes: usize,
    /// The Redis of them all
    #[arg(long, value_name = "URL")]
    pub redis: Option<String>,
    /// The Postgres of them all, empty
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
}

impl Nodes {
    /// Starts them one by one: the first prepares the database.
    pub async fn start(&self, binary: &Path) -> Result<Vec<Server>> {
        ensure!(self.nodes > 0, "--nodes 0 is nobody to ask");
        ensure!(self.nodes == 1 || self.redis.is_some() && self.database.is_some(), "several nodes need engines");
        let named = [("--redis", &self.redis), ("--database", &self.database)].into_iter();
        let given = named.filter_map(|(flag, url)| Some([flag, url.as_deref()?]));
        let flags: Vec<_> = given.flatten().collect();
        let mut servers = Vec::new();
        for _ in 0..self.nodes {
            servers.push(Server::start(binary, &flags).await?);
        }
        Ok(servers)
    }
}

impl Default for Nodes {
    fn default() -> Self {
        Self { nodes: 1, redis: None, database: None }
    }
}

/// What the processes of all of them together have taken, or hold.
pub fn in_all<T: Sum>(servers: &[Server], of_one: impl Fn(&Process) -> Result<T>) -> Result<T> {
    servers.iter().map(|server| of_one(&server.process)).sum()
}
