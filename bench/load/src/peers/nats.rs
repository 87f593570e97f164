//! NATS over WebSockets: a subject for each user.

use std::fmt::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use futures_util::SinkExt;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use super::{EVENT, Peer};
use crate::process::Process;
use crate::socket::{Socket, open, words};

const PATIENCE: u32 = 500;
const HELLO: &str = "CONNECT {\"verbose\":false}\r\n";

pub struct Nats {
    process: Process,
    web: SocketAddr,
    teller: Mutex<TcpStream>,
    _directory: TempDir,
}

impl Nats {
    pub async fn start(program: &Path) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let [native, web] = [free_address()?, free_address()?];
        let config = directory.path().join("nats.conf");
        let text = format!("listen: \"{native}\"\nwebsocket {{ listen: \"{web}\", no_tls: true }}\n");
        std::fs::write(&config, text)?;
        let process = Process::start(Command::new(program).arg("-c").arg(&config).args(["-l", "/dev/null"]))?;
        let mut teller = reached(native).await.context("NATS does not listen")?;
        reached(web).await.context("NATS does not listen for WebSockets")?;
        teller.write_all(HELLO.as_bytes()).await?;
        Ok(Self { process, web, teller: Mutex::new(teller), _directory: directory })
    }
}

/// An address that was free a moment ago: NATS does not say which one it got.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

async fn reached(address: SocketAddr) -> Result<TcpStream> {
    for _ in 0..PATIENCE {
        if let Ok(stream) = TcpStream::connect(address).await {
            return Ok(stream);
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(TcpStream::connect(address).await?)
}

#[async_trait]
impl Peer for Nats {
    fn name(&self) -> &'static str {
        "NATS"
    }

    fn process(&self) -> &Process {
        &self.process
    }

    async fn connects(&self, user: usize, watched: &[usize]) -> Result<Socket> {
        let mut socket = open(self.web, user, "/").await?;
        let greeting = words(&mut socket).await?;
        ensure!(greeting.starts_with("INFO "), "NATS says {greeting}");
        let mut commands = HELLO.to_owned();
        for user in watched {
            write!(commands, "SUB presence.{user} {user}\r\n")?;
        }
        socket.send(Message::binary(commands + "PING\r\n")).await?;
        while !words(&mut socket).await?.contains("PONG") {}
        Ok(socket)
    }

    async fn tells(&self, users: &[usize]) -> Result<()> {
        let mut commands = String::new();
        for user in users {
            write!(commands, "PUB presence.{user} {}\r\n{EVENT}\r\n", EVENT.len())?;
        }
        Ok(self.teller.lock().await.write_all(commands.as_bytes()).await?)
    }

    fn events_in(&self, text: &str) -> usize {
        text.matches("MSG presence.").count()
    }

    fn answer_to(&self, text: &str) -> Option<Message> {
        text.starts_with("PING").then(|| Message::binary("PONG\r\n"))
    }
}
