//! The hub as one node of several: what it hears from the others, and what it answers them.

mod ask;
mod listen;
mod profiles;
mod rights;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::AbortHandle;
use tungstenite::Utf8Bytes;

use super::heard::Heard;
use super::state::tells_who_watches;
use super::{Hub, Notice};
use crate::bus::redis::Local;
use crate::bus::{Audience, Envelope, Event, Missed, Updated};
use crate::cluster::{Cluster, Flip, Header, Lease, Message, Node, NodeId, OpenError, Order, Topic};
use crate::presence::registry::Claim;
use crate::presence::{Cid, UserId};
use crate::profile::ProfileLocks;
use crate::store::{self, Store};
use crate::wire;

use profiles::{Change, Told};

pub use ask::{Polls, Unreachable};

/// What a hub has besides when there are other nodes.
pub(super) struct Nodes {
    pub cluster: Cluster,
    heard: Mutex<Heard>,
    /// Questions that other nodes have not answered yet.
    asked: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    last_asked: AtomicU64,
    /// Questions of other nodes that are being answered.
    answering: Mutex<HashMap<(NodeId, u64), AbortHandle>>,
    polls: OnceLock<Arc<dyn Polls>>,
    store: OnceLock<Arc<dyn Store>>,
    /// Users whose profiles other nodes changed.
    changed: mpsc::UnboundedSender<Change>,
    changes: Mutex<Option<mpsc::UnboundedReceiver<Change>>>,
    /// Who may be here, and watch what, has to be read again.
    rights: Notify,
    /// Users who are on their way here, and how many of their connections.
    arriving: Mutex<HashMap<UserId, usize>>,
}

impl Nodes {
    pub fn new(cluster: Cluster) -> Self {
        let (changed, changes) = mpsc::unbounded_channel();
        Self {
            cluster,
            heard: Mutex::default(),
            asked: Mutex::default(),
            last_asked: AtomicU64::default(),
            answering: Mutex::default(),
            polls: OnceLock::new(),
            store: OnceLock::new(),
            changed,
            changes: Mutex::new(Some(changes)),
            rights: Notify::new(),
            arriving: Mutex::default(),
        }
    }

    /// The user's profile may have been changed by another node.
    fn hear_change(&self, user: UserId, told: Told) {
        // Fails only when nobody reads profiles any more.
        let _ = self.changed.send((user, told));
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arriving(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.arriving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// Joins the other nodes, if there are to be any.
    pub async fn join(
        &self,
        store: Arc<dyn Store>,
        profiles: Arc<ProfileLocks>,
        polls: Arc<dyn Polls>,
    ) -> Result<(), OpenError> {
        let Some(nodes) = &self.shared.nodes else { return Ok(()) };
        nodes.polls.get_or_init(|| polls);
        nodes.store.get_or_init(|| store.clone());
        let changes = nodes.changes.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(changes) = changes {
            tokio::spawn(profiles::run(self.clone(), changes, store, profiles));
            tokio::spawn(rights::run(self.clone()));
        }
        nodes.cluster.join(Arc::new(self.clone())).await
    }

    /// Leaves the other nodes: who was here may come back to one of them.
    pub async fn leave(&self) {
        if let Some(nodes) = &self.shared.nodes {
            nodes.cluster.leave().await;
        }
    }

    /// Whether the other nodes can be reached, as far as there are any.
    pub fn is_linked(&self) -> bool {
        self.shared.nodes.as_ref().is_none_or(|nodes| nodes.cluster.link().is_some())
    }

    /// Whether what is shown of others may be wrong.
    pub fn is_in_doubt(&self) -> bool {
        self.shared.nodes.as_ref().is_some_and(|nodes| nodes.cluster.in_doubt())
    }

    /// The user's profile was changed here: the other nodes hear of it.
    pub fn share_change(&self, user: &UserId, visibly: bool) {
        if let Some(nodes) = &self.shared.nodes {
            self.order(Order::Changed { by: nodes.cluster.id(), user: user.clone(), visibly });
        }
    }

    /// What other nodes have to do as well, after everything that happened before.
    pub(super) fn order(&self, order: Order) {
        if self.shared.nodes.is_some() {
            self.notify(Notice::Order(order));
        }
    }

    /// Waits until what was done here is what other nodes see, too.
    pub async fn shared(&self) {
        if self.shared.nodes.is_some() {
            self.told().await;
        }
    }

    /// Waits until everything that happened so far is told, however long it takes.
    async fn all_told(&self) {
        let (done, told) = oneshot::channel();
        self.notify(Notice::Turn(Box::new(move || {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        })));
        // Fails when the announcer has ended.
        let _ = told.await;
    }

    /// An event that tells how the user stands says by which flip they do.
    fn deliver_of(&self, user: &UserId, event: &Event, seq: Option<i64>) {
        let seq = seq.filter(|_| event.presence_of.is_some());
        let explained = seq.and_then(|seq| event.explained(&json!({ "seq": seq })).ok());
        let event = explained.unwrap_or_else(|| event.clone());
        self.deliver(&Envelope { audience: Audience::Presence(user.clone()), event });
    }

    fn obey(&self, nodes: &Nodes, order: &Order) {
        match order {
            Order::Changed { by, .. } if *by == nodes.cluster.id() => {}
            Order::Changed { user, visibly, .. } => {
                nodes.hear_change(user.clone(), if *visibly { Told::Always } else { Told::Never });
            }
            Order::Evict { user, cid } => self.evict_here(user, cid),
            Order::Expel { user, code } => self.expel_here(user, *code),
            Order::ExpelAll { code } => self.expel_all_here(*code),
            Order::Forget { cid } => self.forget_channel_here(cid),
            Order::CheckRights { by } if *by == nodes.cluster.id() => {}
            Order::CheckRights { .. } => nodes.rights.notify_one(),
        }
    }

    fn hear_flip(&self, nodes: &Nodes, flip: &Flip, body: &Utf8Bytes) {
        // Held while it is delivered: what is told of a user keeps its order.
        let mut heard = nodes.heard();
        if heard.flip(&flip.user, flip.online, flip.seq) {
            match flip.event(body, store::now()) {
                Ok(event) => self.deliver(&Envelope { audience: Audience::Presence(flip.user.clone()), event }),
                Err(error) => tracing::error!(%error, "a flip could not be explained"),
            }
        }
    }
}

#[async_trait]
impl Node for Hub {
    fn heard(&self, message: Message) {
        let Some(nodes) = &self.shared.nodes else { return };
        let Message { header, body } = message;
        let event = |json: Utf8Bytes| Event { json, explained: None, presence_of: None, flipped_at: None };
        match header {
            Header::Flip(flip) => self.hear_flip(nodes, &flip, &body),
            Header::Watching(watching) => {
                let count = json!({ "watcher_count": watching.watcher_count });
                match event(body).with(&count) {
                    Ok(event) => self.deliver(&Envelope { audience: Audience::Channel(watching.cid), event }),
                    Err(error) => tracing::error!(%error, "an event could not be completed"),
                }
            }
            Header::Event { audience } => self.deliver(&Envelope { audience, event: event(body) }),
            Header::Order(order) => self.obey(nodes, &order),
            Header::Ask { id, from, question } => self.hear_question(nodes, id, from, question),
            Header::Answer { id, answer } => nodes.answered(id, answer),
            Header::Cancel { id, from } => nodes.cancel(from, id),
        }
    }

    async fn claim_all(&self) {
        self.update(|state, _| {
            let claims: Vec<_> = state.registry.claims().map(|(user, claim)| (user.clone(), claim)).collect();
            for (user, claim) in claims {
                state.notify(Notice::Claims { user: user.clone(), claim, ended: None });
                for cid in state.watched_by(&user).into_iter().filter(|_| claim == Claim::Here) {
                    state.notify_watching(&user, &cid, true);
                }
            }
        });
        self.all_told().await;
    }

    async fn take_back(&self, ended: &Lease, users: Vec<UserId>, watches: Vec<(Cid, UserId)>) {
        self.update(|state, _| {
            for user in users {
                state.notify(Notice::Claims { user, claim: Claim::Gone, ended: Some(ended.clone()) });
            }
            for (cid, user) in watches {
                let told = tells_who_watches(&cid);
                state.notify(Notice::Watching {
                    user,
                    cid,
                    started: false,
                    online: false,
                    watcher_count: 0,
                    ended: Some(ended.clone()),
                    told,
                });
            }
        });
        self.all_told().await;
    }

    async fn look_again(&self, deaf: Option<Duration>) {
        tokio::join!(self.mend_all(deaf), self.check_rights());
        self.all_told().await;
    }

    fn needs(&self, topic: &Topic) -> bool {
        // First: who is here when this ends is in the registry by then.
        let is_awaited = topic.user().is_some_and(|user| self.is_awaited(user));
        let state = self.lock();
        match topic {
            Topic::User(user) => {
                is_awaited
                    || state.watchers.of_user(user).next().is_some()
                    || !state.registry.connections(user).is_empty()
            }
            Topic::Channel(cid) => state.watchers.of_channel(cid).next().is_some(),
            Topic::Node(_) | Topic::Nodes => true,
        }
    }

    fn forget(&self, topic: &Topic) {
        if let (Some(nodes), Topic::User(user)) = (&self.shared.nodes, topic) {
            nodes.heard().forget(user);
        }
    }

    fn doubt(&self, in_doubt: bool) {
        match in_doubt {
            true => tracing::warn!("cut off from the other nodes: what is shown of others may be wrong"),
            false => tracing::info!("what is shown of others is right"),
        }
        match wire::Event::doubt(in_doubt, store::now()).serialize() {
            Ok(event) => {
                let mut state = self.lock();
                let hears = state.visits.iter().filter(|(_, visit)| visit.origin.hears_doubt);
                let hears = hears.map(|(connection, _)| *connection).collect();
                state.push(hears, Arc::new(event));
            }
            Err(error) => tracing::error!(%error, "an event could not be serialised"),
        }
    }
}

impl Local for Hub {
    fn deliver(&self, envelope: &Envelope) {
        Self::deliver(self, envelope);
    }

    fn deliver_updated(&self, updated: &Updated) {
        let Some(nodes) = &self.shared.nodes else { return };
        // Held while it is delivered: no flip comes in between.
        let mut heard = nodes.heard();
        if !heard.profile(&updated.user, updated.written) {
            return;
        }
        let online = heard.online(&updated.user).unwrap_or(updated.is_online);
        self.deliver_of(&updated.user, updated.event.of(online), heard.seq(&updated.user));
    }

    fn deliver_missed(&self, missed: &Missed) {
        let Some(nodes) = &self.shared.nodes else { return };
        // Held while it is delivered, as above.
        let mut heard = nodes.heard();
        if let Some(online) = heard.take_untold(&missed.user) {
            self.deliver_of(&missed.user, missed.event.of(online), heard.seq(&missed.user));
        }
    }
}
