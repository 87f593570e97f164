//! socket.io: a room for each user.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Result, ensure};
use async_trait::async_trait;
use futures_util::SinkExt;
use reqwest::Client;
use serde_json::json;
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;

use super::{EVENT, Peer};
use crate::backend::client;
use crate::process::Process;
use crate::socket::{Socket, open, words};

pub struct SocketIo {
    process: Process,
    address: SocketAddr,
    http: Client,
}

impl SocketIo {
    pub async fn start(script: &Path) -> Result<Self> {
        let mut process = Process::start(Command::new("node").arg(script))?;
        let address = SocketAddr::from(([127, 0, 0, 1], process.port().await?));
        Ok(Self { process, address, http: client().build()? })
    }
}

#[async_trait]
impl Peer for SocketIo {
    fn name(&self) -> &'static str {
        "socket.io"
    }

    fn process(&self) -> &Process {
        &self.process
    }

    async fn connects(&self, user: usize, watched: &[usize]) -> Result<Socket> {
        let mut socket = open(self.address, user, "/socket.io/?EIO=4&transport=websocket").await?;
        // First Engine.IO opens, then socket.io connects.
        hears(&mut socket, "0").await?;
        socket.send(Message::text("40")).await?;
        hears(&mut socket, "40").await?;
        if !watched.is_empty() {
            socket.send(Message::text(format!("420{}", json!(["watch", watched])))).await?;
            hears(&mut socket, "430").await?;
        }
        Ok(socket)
    }

    async fn tells(&self, users: &[usize]) -> Result<()> {
        let body = json!({ "users": users, "event": EVENT });
        let request = self.http.post(format!("http://{}/tell", self.address)).body(body.to_string());
        request.send().await?.error_for_status()?;
        Ok(())
    }

    fn events_in(&self, text: &str) -> usize {
        usize::from(text.starts_with("42"))
    }

    fn answer_to(&self, text: &str) -> Option<Message> {
        (text == "2").then(|| Message::text("3"))
    }
}

/// The next message has to begin so.
async fn hears(socket: &mut Socket, beginning: &str) -> Result<()> {
    let said = words(socket).await?;
    ensure!(said.starts_with(beginning), "socket.io says {said}");
    Ok(())
}
