//! Those who watch: sockets that are read all the time, by a task each, and what they heard.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::peers::Peer;
use crate::socket::Socket;

/// Nobody is told of anything this late.
const PATIENCE: Duration = Duration::from_secs(30);
/// What was told comes within this.
const QUIET: Duration = Duration::from_millis(500);

pub struct Audience {
    peer: Arc<dyn Peer>,
    size: usize,
    heard: Arc<Heard>,
    listening: JoinSet<()>,
}

#[derive(Default)]
struct Heard {
    events: AtomicUsize,
    frames: AtomicUsize,
    wanted: AtomicUsize,
    enough: Notify,
}

impl Audience {
    pub fn of(peer: Arc<dyn Peer>, sockets: Vec<Socket>) -> Self {
        let heard = Arc::new(Heard::default());
        let size = sockets.len();
        let listening = sockets.into_iter().map(|socket| listens(peer.clone(), socket, heard.clone()));
        let listening = listening.collect();
        Self { peer, size, heard, listening }
    }

    /// Whether everybody still listens.
    pub fn is_whole(&mut self) -> bool {
        self.listening.try_join_next().is_none()
    }

    /// Waits until nothing comes any more, as of the arrival of those who watch; what came does not count.
    pub async fn settles(&self) -> Result<()> {
        let heard = || self.heard.events.load(Ordering::SeqCst);
        let settling = async {
            let mut before = heard();
            loop {
                sleep(QUIET).await;
                match heard() {
                    now if now == before => return now,
                    now => before = now,
                }
            }
        };
        let events = timeout(PATIENCE, settling).await;
        let events = events.with_context(|| format!("{}: events do not end", self.peer.name()))?;
        self.heard.wanted.store(events, Ordering::SeqCst);
        Ok(())
    }

    /// Has everybody told of these users, and waits until they were. Returns how many frames it took.
    pub async fn hears_of(&self, users: &[usize]) -> Result<usize> {
        let frames = self.heard.frames.load(Ordering::SeqCst);
        self.heard.wanted.fetch_add(users.len() * self.size, Ordering::SeqCst);
        self.peer.tells(users).await?;
        timeout(PATIENCE, self.heard.all()).await.with_context(|| {
            let (wanted, events) = (&self.heard.wanted, &self.heard.events);
            format!("{}: {events:?} of {wanted:?} events came", self.peer.name())
        })?;
        Ok(self.heard.frames.load(Ordering::SeqCst) - frames)
    }
}

impl Heard {
    fn hears(&self, events: usize) {
        self.frames.fetch_add(1, Ordering::SeqCst);
        let events = events + self.events.fetch_add(events, Ordering::SeqCst);
        if events >= self.wanted.load(Ordering::SeqCst) {
            self.enough.notify_one();
        }
    }

    async fn all(&self) {
        while self.events.load(Ordering::SeqCst) < self.wanted.load(Ordering::SeqCst) {
            self.enough.notified().await;
        }
    }
}

async fn listens(peer: Arc<dyn Peer>, mut socket: Socket, heard: Arc<Heard>) {
    while let Some(Ok(message)) = socket.next().await {
        let Ok(text) = message.to_text() else { continue };
        if let Some(answer) = peer.answer_to(text)
            && socket.send(answer).await.is_err()
        {
            return;
        }
        match peer.events_in(text) {
            0 => {}
            events => heard.hears(events),
        }
    }
}
