//! The least that a server can do: `write()`, of as many bytes as a presence event has, to each of
//! its sockets. What that costs is the system's.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::Peer;
use crate::process::Process;
use crate::socket::{Socket, small, stream};

pub struct Bare {
    process: Process,
    address: SocketAddr,
}

impl Bare {
    pub async fn start() -> Result<Self> {
        // It is built together with this program.
        let program = std::env::current_exe()?.with_file_name("bare-write");
        let mut process = Process::start(&mut Command::new(program))?;
        let address = SocketAddr::from(([127, 0, 0, 1], process.port().await?));
        Ok(Self { process, address })
    }

    /// Says one byte and waits for the answer.
    async fn says(&self, user: usize, byte: u8) -> Result<TcpStream> {
        let mut stream = stream(self.address, user).await?;
        stream.write_u8(byte).await?;
        stream.read_u8().await?;
        Ok(stream)
    }
}

#[async_trait]
impl Peer for Bare {
    fn name(&self) -> &'static str {
        "bare write()"
    }

    fn process(&self) -> &Process {
        &self.process
    }

    async fn connects(&self, user: usize, _: &[usize]) -> Result<Socket> {
        let stream = self.says(user, 0).await?;
        Ok(WebSocketStream::from_raw_socket(stream, Role::Client, Some(small())).await)
    }

    async fn tells(&self, users: &[usize]) -> Result<()> {
        self.says(0, u8::try_from(users.len()).context("too much at once")?).await?;
        Ok(())
    }

    fn events_in(&self, text: &str) -> usize {
        text.matches("something happened").count()
    }
}
