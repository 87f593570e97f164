//! Our server. Whoever is told of hides from the others, or shows themselves again.

use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use async_trait::async_trait;
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;

use super::Peer;
use crate::backend::{Backend, client, id};
use crate::process::Process;
use crate::server::Server;
use crate::socket::{Socket, connect_path, open, words};
use crate::token::{self, KEY};

/// Here the same few come and go all the time, and one program asks for them all.
const FLAGS: [&str; 4] = ["--flaps-per-minute", "0", "--user-requests-per-minute", "0"];

pub struct Rollcall {
    server: Server,
    backend: Backend,
    http: Client,
    batches: bool,
    /// Whether each hides.
    hidden: Vec<AtomicBool>,
}

#[derive(Deserialize)]
struct Hello {
    connection_id: String,
}

impl Rollcall {
    /// So many users are known to it.
    pub async fn start(binary: &Path, users: usize, batches: bool) -> Result<Self> {
        let server = Server::start(binary, &FLAGS).await?;
        let backend = Backend::of(server.address)?;
        backend.introduces(users).await?;
        let hidden = (0..users).map(|_| AtomicBool::new(false)).collect();
        // A connection that waits for a next request would be memory of the server as well.
        let http = client().pool_max_idle_per_host(0).build()?;
        Ok(Self { server, backend, http, batches, hidden })
    }

    async fn subscribe(&self, user: usize, connection: &str, watched: &[usize]) -> Result<()> {
        let ids: Vec<_> = watched.iter().copied().map(id).collect();
        let query = json!({ "filter_conditions": { "id": { "$in": ids } }, "presence": true, "limit": ids.len() });
        let me = id(user);
        let query =
            [("api_key", KEY), ("user_id", &me), ("connection_id", connection), ("payload", &query.to_string())];
        let request = self.http.get(format!("http://{}/users", self.server.address)).query(&query);
        request.header("authorization", token::user(&me)?).send().await?.error_for_status()?;
        Ok(())
    }
}

#[async_trait]
impl Peer for Rollcall {
    fn name(&self) -> &'static str {
        "rollcall"
    }

    fn process(&self) -> &Process {
        &self.server.process
    }

    async fn connects(&self, user: usize, watched: &[usize]) -> Result<Socket> {
        let path = connect_path(user, self.batches)?;
        let mut socket = open(self.server.address, user, &path).await?;
        let greeting = words(&mut socket).await?;
        let hello: Hello = serde_json::from_str(&greeting).with_context(|| format!("refused: {greeting}"))?;
        if !watched.is_empty() {
            self.subscribe(user, &hello.connection_id, watched).await?;
        }
        Ok(socket)
    }

    async fn presents(&self, users: Range<usize>) -> Result<Vec<Socket>> {
        let mut sockets = Vec::with_capacity(users.len());
        for user in users {
            sockets.push(self.connects(user, &[]).await?);
        }
        Ok(sockets)
    }

    async fn tells(&self, users: &[usize]) -> Result<()> {
        let hides = |user: &usize| !self.hidden[*user].fetch_not(Ordering::Relaxed);
        self.backend.upserts(users.iter().map(|user| (*user, json!({ "invisible": hides(user) })))).await
    }

    fn events_in(&self, text: &str) -> usize {
        text.matches(r#""type":"user.presence.changed""#).count()
    }
}
