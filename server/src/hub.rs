//! Where presence meets the world: connections come and go, requests subscribe and publish,
//! and everything that has to be told leaves in one order.

mod announcer;
mod census;
mod clock;
mod clocks;
mod delivery;
mod drain;
mod heard;
mod inspection;
mod membership;
mod nodes;
pub mod outbox;
mod presences;
mod state;
mod subscriptions;
mod visit;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rollcall_protocol::{close, timing};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;

pub use announcer::Notice;
pub use census::Census;
pub use delivery::Shortcut;
pub use membership::Membership;
pub use nodes::{Polls, Unreachable};
pub use outbox::Inbox;
pub use presences::{Presence, Presences};
pub use visit::{Origin, Transport};

use crate::auth::{ANONYMOUS, Issued};
use crate::bus::{Audience, Bus, Envelope, Event, local::LocalBus, redis::RedisBus};
use crate::cluster::{Cluster, NodeId, Order};
use crate::metrics::Metrics;
use crate::presence::journal::{Happening, Journal};
use crate::presence::registry::{Registry, Rules};
use crate::presence::rules::{Damping, Ending, Grace};
use crate::presence::watchers::Watchers;
use crate::presence::{ConnectionId, UserId};
use crate::store::{Store, User};
use crate::webhook::Webhook;
use nodes::Nodes;
use state::State;
use visit::Visit;

/// How long a request waits for its turn among the events: less than any SDK waits for a reply.
const PATIENCE: Duration = Duration::from_secs(1);

/// How the hub is tuned.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a user still counts as online after a connection ended.
    pub grace: Grace,
    /// What is done about users who come and go all the time.
    pub damping: Damping,
    /// Connections there may be; 0 for any number.
    pub connections: usize,
    /// Connections one user may have; 0 for any number.
    pub connections_per_user: usize,
    /// Connections of all who are nobody; 0 for any number.
    pub anonymous_connections: usize,
    /// Users a connection may subscribe to, and channels it may watch.
    pub subscriptions: usize,
    /// Events that may wait for a slow reader before its connection is closed.
    pub queue: usize,
}

/// Why there is no place for one more connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooManyConnections {
    #[error("too many connections: a user may have {0}")]
    OfUser(usize),
    #[error("too many connections: the server may have {0}")]
    InAll(usize),
}

/// Presence, subscriptions and events of this node. Cheap to clone; all clones are one hub.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Tells the clock that something is due earlier than it thinks.
    sooner: Notify,
    /// Tells whoever waits for the end that a connection ended.
    ended: Notify,
    options: Options,
    /// Part of the ids of this node's connections.
    id: NodeId,
    /// The other nodes, if there may be any.
    nodes: Option<Nodes>,
}

impl Hub {
    /// Starts the hub and the two tasks that drive it: the clock, which ends with [`Hub::drain`], and the
    /// announcer, which ends with [`Hub::finish`].
    /// With a cluster it is one node of several, after [`Hub::join`].
    pub fn start(
        options: &Options,
        store: Arc<dyn Store>,
        webhook: Option<Webhook>,
        metrics: Metrics,
        cluster: Option<Cluster>,
    ) -> Self {
        let (notices, queue) = mpsc::unbounded_channel();
        let rules = Rules {
            grace: options.grace,
            damping: options.damping,
            refresh: Duration::from_millis(timing::LAST_ACTIVE_EVERY),
        };
        let hub = Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State {
                    registry: Registry::new(rules),
                    watchers: Watchers::new(options.subscriptions),
                    outboxes: HashMap::new(),
                    visits: HashMap::new(),
                    journal: Journal::default(),
                    notices,
                    metrics: metrics.clone(),
                    last_seq: 0,
                    has_peers: cluster.is_some(),
                    expulsions: 0,
                    closing: false,
                }),
                sooner: Notify::new(),
                ended: Notify::new(),
                options: options.clone(),
                id: cluster.as_ref().map_or_else(NodeId::random, Cluster::id),
                nodes: cluster.clone().map(Nodes::new),
            }),
        };
        let receiver = hub.clone();
        let bus: Arc<dyn Bus> = match cluster {
            Some(cluster) => Arc::new(RedisBus::new(cluster, Arc::new(receiver))),
            None => Arc::new(LocalBus::new(Arc::new(move |envelope| receiver.deliver(envelope)))),
        };
        tokio::spawn(announcer::run(queue, store, bus, webhook, metrics.untold.clone()));
        tokio::spawn(clock::run(hub.clone()));
        hub
    }

    /// These users were online when the server stopped. Whoever does not come back within the
    /// grace goes offline, and whoever watches them by then is told.
    pub fn presume_online(&self, users: &[UserId]) {
        self.update(|state, now| {
            users.iter().for_each(|user| state.registry.presume(now, user));
            state.registry.handle_timeout(now);
        });
    }

    /// A connection of the user opened, with a token issued when; `invisible` is what their profile says, read under the
    /// same profile lock. Events wait in the inbox until its connection has sent the first frame.
    pub fn connect(
        &self,
        user: &UserId,
        invisible: bool,
        origin: Origin,
        issued_at: Issued,
    ) -> Result<(Membership, Inbox), TooManyConnections> {
        let id = ConnectionId::on(self.shared.id.into());
        let visit = Arc::new(Visit::new(origin, issued_at));
        let (outbox, inbox) = outbox::queue(self.shared.options.queue);
        self.update(|state, now| {
            let limit = self.shared.options.connections;
            if limit != 0 && state.registry.connection_count() >= limit {
                state.metrics.turn_away("connections");
                return Err(TooManyConnections::InAll(limit));
            }
            let own = state.registry.connections(user).len();
            if **user == *ANONYMOUS {
                let limit = self.shared.options.anonymous_connections;
                if limit != 0 && own >= limit {
                    state.metrics.turn_away("anonymous-connections");
                    return Err(TooManyConnections::InAll(limit));
                }
            } else {
                let limit = self.shared.options.connections_per_user;
                if limit != 0 && own >= limit {
                    state.metrics.turn_away("connections-per-user");
                    return Err(TooManyConnections::OfUser(limit));
                }
            }
            if state.closing {
                outbox.close(close::GOING_AWAY);
            } else {
                // The user's other connections are, or are not, already: see [`Hub::set_invisible`].
                outbox.put_aside(invisible);
                state.outboxes.insert(id, outbox);
                state.visits.insert(id, visit.clone());
                state.journal.add(now, user, Happening::Connected(id));
                state.registry.connect(now, user, id, invisible);
            }
            Ok(())
        })?;
        Ok((Membership::new(self.clone(), id, visit), inbox))
    }

    fn disconnect(&self, connection: ConnectionId, ending: Ending) {
        self.update(|state, now| {
            state.outboxes.remove(&connection);
            state.disconnect(now, connection, ending);
        });
        self.shared.ended.notify_waiters();
    }

    /// Ends the user's connections and counts them as gone at once: they were deleted,
    /// deactivated, or their tokens were revoked. When they come back they are told why not.
    pub fn expel(&self, user: &UserId, code: u16) {
        self.expel_here(user, code);
        self.order(Order::Expel { user: user.clone(), code });
    }

    /// The same for everybody.
    pub fn expel_all(&self, code: u16) {
        self.expel_all_here(code);
        self.order(Order::ExpelAll { code });
    }

    /// How often anybody was expelled from this node.
    pub fn expulsions(&self) -> u64 {
        self.lock().expulsions
    }

    fn expel_all_here(&self, code: u16) {
        self.lock().expulsions += 1;
        self.connected_users().iter().for_each(|user| self.expel_here(user, code));
    }

    fn expel_here(&self, user: &UserId, code: u16) {
        self.update(|state, now| {
            state.expulsions += 1;
            for connection in state.registry.connections(user).to_vec() {
                if let Some(outbox) = state.outboxes.remove(&connection) {
                    outbox.close(code);
                }
                state.disconnect(now, connection, Ending::Goodbye);
            }
            state.registry.end_grace(now, user);
        });
        self.shared.ended.notify_waiters();
    }

    /// The user's profile now says `invisible`; call it under the same profile lock as the write.
    pub fn set_invisible(&self, user: &UserId, invisible: bool) {
        self.update(|state, now| {
            state.registry.set_invisible(now, user, invisible);
            state.set_aside(user);
        });
    }

    /// Sends an event to its audience, after everything published or changed before.
    pub fn publish(&self, audience: Audience, event: Event) {
        self.notify(Notice::Ready(Envelope { audience, event }));
    }

    /// The user's profile changed: those who watch them, and they themselves, get `user.updated`.
    pub fn user_updated(&self, user: &UserId) {
        self.update(|state, _| {
            let notice = Notice::Updated { user: user.clone(), online: state.registry.is_online(user) };
            state.notify(notice);
        });
    }

    /// Waits until everything that happened so far is written and told, if that is soon.
    pub async fn told(&self) {
        self.in_turn(|_| ()).await;
    }

    /// The same, and returns the user as they are stored then; `None` when it is not soon, or there is
    /// no such user.
    pub async fn told_of(&self, user: &UserId) -> Option<User> {
        let (done, told) = oneshot::channel();
        self.notify(Notice::Greets { user: user.clone(), done });
        timeout(PATIENCE, told).await.ok()?.ok()?
    }

    /// Does `work` after everything that happened so far is written and told, and before anything
    /// that happens later is. When that takes too long it is done at once: then it may be followed
    /// by old news, which newer news will mend, and that is better than an error.
    async fn in_turn<T: Default + Send + 'static>(&self, work: impl FnOnce(&Self) -> T + Send + Sync + 'static) -> T {
        let (done, mut outcome) = oneshot::channel();
        let work = Arc::new(Mutex::new(Some(work)));
        let (hub, in_turn) = (self.clone(), work.clone());
        self.notify(Notice::Turn(Box::new(move || {
            if let Some(work) = take(&in_turn) {
                // Whoever asked may have stopped waiting.
                let _ = done.send(work(&hub));
            }
        })));
        if let Ok(Ok(outcome)) = timeout(PATIENCE, &mut outcome).await {
            return outcome;
        }
        match take(&work) {
            Some(work) => work(self),
            // It had its turn in this very moment.
            None => outcome.await.unwrap_or_default(),
        }
    }

    /// Whether what happens is still told. It is, unless something broke that cannot.
    pub fn is_working(&self) -> bool {
        !self.lock().notices.is_closed()
    }

    /// How many connections live.
    pub fn connection_count(&self) -> usize {
        self.lock().registry.connection_count()
    }

    fn notify(&self, notice: Notice) {
        self.lock().notify(notice);
    }

    /// Puts the event into the queue of every connection it is for.
    fn deliver(&self, envelope: &Envelope) {
        let mut state = self.lock();
        let recipients = state.recipients(&envelope.audience);
        state.push(recipients, Arc::new(envelope.event.clone()));
    }

    /// Changes the state, then passes on what follows from the change, all under one lock: the
    /// order of notices is the order of changes.
    fn update<T>(&self, change: impl FnOnce(&mut State, Instant) -> T) -> T {
        let mut state = self.lock();
        let due = state.registry.poll_timeout();
        let result = change(&mut state, Instant::now());
        state.settle();
        let sooner = match (due, state.registry.poll_timeout()) {
            (Some(before), Some(now)) => now < before,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        drop(state);
        if sooner {
            self.shared.sooner.notify_one();
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics under the lock; if one ever does, presence goes on.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take<T>(work: &Mutex<Option<T>>) -> Option<T> {
    work.lock().unwrap_or_else(PoisonError::into_inner).take()
}
