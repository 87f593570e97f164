//! Long-poll sessions: a connection for networks that let no socket through. To everybody else
//! its user is as present as on a socket.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::bus::Event;
use crate::hub::{Inbox, Membership, Polls};
use crate::presence::ConnectionId;

/// A poll without events is answered after this long; SDKs give up after 30 seconds.
const ANSWER_AFTER: Duration = Duration::from_secs(15);
/// A session that is not polled for this long is lost, or sooner where a socket would be. Together
/// with the time for an answer this is as long as a silent socket lives by default.
const EXPIRE_AFTER: Duration = Duration::from_secs(10);
/// Events taken out of the queue ahead of a poll.
const AHEAD: usize = 256;

/// The sessions of this node.
#[derive(Clone)]
pub struct Sessions {
    open: Arc<Mutex<HashMap<ConnectionId, mpsc::UnboundedSender<Command>>>>,
    expire_after: Duration,
}

enum Command {
    Poll(oneshot::Sender<Vec<Arc<Event>>>),
    Close,
}

impl Sessions {
    /// `idle_timeout` is how long a socket may be silent.
    pub fn new(idle_timeout: Duration) -> Self {
        Self { open: Arc::default(), expire_after: idle_timeout.min(EXPIRE_AFTER) }
    }

    /// Keeps the connection open for polls.
    pub fn open(&self, mut membership: Membership, inbox: Inbox) {
        let (commands, queue) = mpsc::unbounded_channel();
        let id = membership.id();
        self.lock().insert(id, commands);
        let sessions = self.clone();
        tokio::spawn(async move {
            let ending = Session::new(inbox, queue, sessions.expire_after).run(&mut membership).await;
            sessions.lock().remove(&id);
            if ending == Ending::Closed {
                membership.goodbye();
            }
        });
    }

    /// How many sessions are open.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, mpsc::UnboundedSender<Command>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Polls for Sessions {
    async fn poll(&self, id: ConnectionId) -> Option<Vec<Arc<Event>>> {
        let (answer, answered) = oneshot::channel();
        self.lock().get(&id)?.send(Command::Poll(answer)).ok()?;
        answered.await.ok()
    }

    fn close(&self, id: ConnectionId) -> bool {
        self.lock().get(&id).is_some_and(|commands| commands.send(Command::Close).is_ok())
    }
}

#[derive(PartialEq)]
enum Ending {
    Closed,
    Lost,
}

struct Session {
    inbox: Inbox,
    commands: mpsc::UnboundedReceiver<Command>,
    /// Taken out of the inbox, and not yet with the client.
    waiting: Vec<Arc<Event>>,
    poll: Option<oneshot::Sender<Vec<Arc<Event>>>>,
    expire_after: Duration,
    deadline: Instant,
}

impl Session {
    fn new(inbox: Inbox, commands: mpsc::UnboundedReceiver<Command>, expire_after: Duration) -> Self {
        let deadline = Instant::now() + expire_after;
        Self { inbox, commands, waiting: Vec::new(), poll: None, expire_after, deadline }
    }

    async fn run(mut self, membership: &mut Membership) -> Ending {
        loop {
            if !self.waiting.is_empty() {
                self.answer();
            }
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Poll(poll)) => {
                        // A client has one poll open; an older one is no longer waited for.
                        self.poll = Some(poll);
                        membership.heard();
                        self.deadline = Instant::now() + ANSWER_AFTER;
                    }
                    Some(Command::Close) => return Ending::Closed,
                    None => return Ending::Lost,
                },
                ready = self.inbox.ready(1), if self.waiting.len() < AHEAD => match ready {
                    Ok(()) => self.inbox.take(&mut self.waiting, AHEAD),
                    Err(_) => return Ending::Lost,
                },
                () = gone(&mut self.poll) => {
                    self.poll = None;
                    self.deadline = Instant::now() + self.expire_after;
                }
                () = sleep_until(self.deadline) => {
                    if self.poll.is_none() {
                        return Ending::Lost;
                    }
                    self.answer();
                }
            }
        }
    }

    /// Gives what is waiting to the open poll. If its client is gone, the next one gets it.
    fn answer(&mut self) {
        let Some(poll) = self.poll.take() else { return };
        self.deadline = Instant::now() + self.expire_after;
        if let Err(events) = poll.send(std::mem::take(&mut self.waiting)) {
            self.waiting = events;
        }
    }
}

/// Done when the client of the open poll hangs up.
async fn gone(poll: &mut Option<oneshot::Sender<Vec<Arc<Event>>>>) {
    match poll {
        Some(poll) => poll.closed().await,
        None => std::future::pending().await,
    }
}
