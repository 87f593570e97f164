//! Servers that tell many connections the same: ours, those of others, and the least that one can be.

mod bare;
mod nats;
mod rollcall;
mod socket_io;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use async_trait::async_trait;
use futures_util::stream;
use futures_util::{StreamExt, TryStreamExt};
use tokio_tungstenite::tungstenite::Message;

use bare::Bare;
use nats::Nats;
use rollcall::Rollcall;
use socket_io::SocketIo;

use crate::process::Process;
use crate::socket::Socket;

/// Connections that are opened at a time, unless that is what is measured.
pub const SOME: usize = 32;

/// What others tell, in place of a presence event of ours: as long as one.
const EVENT: &str = r#"{"type":"user.presence.changed","created_at":"2026-01-02T03:04:05.678901Z","user":{"id":"user-1234","role":"user","teams":[],"language":"","banned":false,"online":true,"created_at":"2026-01-02T03:04:05.678901Z","updated_at":"2026-01-02T03:04:05.678901Z","last_active":"2026-01-02T03:04:05.678901Z","name":"user-1234"},"cid":"*"}"#;

/// A server that tells of users to those who watch them.
#[async_trait]
pub trait Peer: Send + Sync {
    fn name(&self) -> &'static str;

    fn process(&self) -> &Process;

    /// Connects as this user, and returns when it hears of those whom it watches.
    async fn connects(&self, user: usize, watched: &[usize]) -> Result<Socket>;

    /// Connects those of whom it tells, who watch nobody; those who know of nobody need not.
    async fn presents(&self, _users: Range<usize>) -> Result<Vec<Socket>> {
        Ok(Vec::new())
    }

    /// Tells something of each of these users.
    async fn tells(&self, users: &[usize]) -> Result<()>;

    /// Of how many users a message tells something.
    fn events_in(&self, text: &str) -> usize;

    /// What it wants to hear upon this message.
    fn answer_to(&self, _text: &str) -> Option<Message> {
        None
    }
}

/// Where the programs of others are.
#[derive(Clone, Debug, clap::Args)]
pub struct Programs {
    /// Of NATS; without it NATS is left out
    #[arg(long)]
    pub nats: Option<PathBuf>,
    /// A script for Node that serves by socket.io; without it socket.io is left out
    #[arg(long)]
    pub socket_io: Option<PathBuf>,
}

/// Ours, to which so many users are known and, as `batches` says, give or do not give one frame
/// to several events; and of the others those whose programs there are.
pub async fn start(server: &Path, programs: &Programs, users: usize, batches: bool) -> Result<Vec<Arc<dyn Peer>>> {
    let mut peers: Vec<Arc<dyn Peer>> = vec![Arc::new(Rollcall::start(server, users, batches).await?)];
    if let Some(program) = &programs.nats {
        peers.push(Arc::new(Nats::start(program).await?));
    }
    if let Some(script) = &programs.socket_io {
        peers.push(Arc::new(SocketIo::start(script).await?));
    }
    Ok(peers)
}

/// The least that a server can be.
pub async fn bare() -> Result<Arc<dyn Peer>> {
    Ok(Arc::new(Bare::start().await?))
}

/// Has these users connect and watch, so many at a time; `watched` says whom each of them watches.
pub async fn crowd(
    peer: &Arc<dyn Peer>,
    users: Range<usize>,
    at_once: usize,
    watched: &(dyn Fn(usize) -> Vec<usize> + Sync),
) -> Result<Vec<Socket>> {
    let connecting = stream::iter(users).map(|user| {
        let (peer, watched) = (peer.clone(), watched(user));
        tokio::spawn(async move { peer.connects(user, &watched).await })
    });
    let connected = connecting.buffer_unordered(at_once).map(|socket| socket?);
    connected.try_collect().await
}
