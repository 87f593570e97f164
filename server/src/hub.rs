//! Where presence meets the world: connections come and go, requests subscribe and publish,
//! and everything that has to be told leaves in one order.

mod announcer;
mod clock;
mod membership;
pub mod outbox;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rollcall_protocol::{close, timing};
use tokio::sync::{Notify, mpsc, oneshot};

pub use announcer::Notice;
pub use membership::Membership;
pub use outbox::Inbox;

use crate::bus::{Audience, Envelope, Event, local::LocalBus};
use crate::metrics::Metrics;
use crate::presence::registry::{Ending, Output, Registry};
use crate::presence::watchers::{Scope, Watchers};
use crate::presence::{Cid, ConnectionId, UserId};
use crate::store::Store;
use outbox::Outbox;

/// How the hub is tuned.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a lost connection still counts as online.
    pub grace: Duration,
    /// Users a connection may subscribe to, and channels it may watch.
    pub subscriptions: usize,
    /// Events that may wait for a slow reader before its connection is closed.
    pub queue: usize,
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
    metrics: Metrics,
    queue: usize,
}

struct State {
    registry: Registry,
    watchers: Watchers,
    outboxes: HashMap<ConnectionId, Outbox>,
    /// Unbounded, because it is written to under the lock; the announcer outruns its writers,
    /// who all wait for the database first.
    notices: mpsc::UnboundedSender<Notice>,
    closing: bool,
}

impl Hub {
    /// Starts the hub and the two tasks that drive it; they end after [`Hub::close`].
    pub fn start(options: &Options, store: Arc<dyn Store>, metrics: Metrics) -> Self {
        let (notices, queue) = mpsc::unbounded_channel();
        let refresh = Duration::from_millis(timing::LAST_ACTIVE_EVERY);
        let hub = Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State {
                    registry: Registry::new(options.grace, refresh),
                    watchers: Watchers::new(options.subscriptions),
                    outboxes: HashMap::new(),
                    notices,
                    closing: false,
                }),
                sooner: Notify::new(),
                ended: Notify::new(),
                metrics,
                queue: options.queue,
            }),
        };
        let receiver = hub.clone();
        let bus = LocalBus::new(Arc::new(move |envelope| receiver.deliver(envelope)));
        tokio::spawn(announcer::run(queue, store, Arc::new(bus)));
        tokio::spawn(clock::run(hub.clone()));
        hub
    }

    /// A connection of the user opened; `invisible` is what their profile says, read under the
    /// same profile lock. Events wait in the inbox until its connection has sent the first frame.
    pub fn connect(&self, user: &UserId, invisible: bool) -> (Membership, Inbox) {
        let id = ConnectionId::random();
        let (outbox, inbox) = outbox::queue(self.shared.queue);
        self.update(|state, now| {
            if state.closing {
                outbox.close(close::GOING_AWAY);
            } else {
                state.outboxes.insert(id, outbox);
                state.registry.connect(now, user, id, invisible);
            }
        });
        (Membership::new(self.clone(), id), inbox)
    }

    fn disconnect(&self, connection: ConnectionId, ending: Ending) {
        self.update(|state, now| {
            state.outboxes.remove(&connection);
            let Some(user) = state.registry.owner(connection).cloned() else {
                return;
            };
            let visible = state.registry.is_online(&user);
            state.registry.disconnect(now, connection, ending);
            for cid in state.watchers.remove(connection) {
                if visible && !state.is_watching(&user, &cid) {
                    state.notify_watching(&user, &cid, false);
                }
            }
        });
        self.shared.ended.notify_waiters();
    }

    /// The user's profile now says `invisible`; call it under the same profile lock as the write.
    pub fn set_invisible(&self, user: &UserId, invisible: bool) {
        self.update(|state, now| state.registry.set_invisible(now, user, invisible));
    }

    /// Whether others see the user as online.
    pub fn is_online(&self, user: &str) -> bool {
        self.lock().registry.is_online(user)
    }

    /// Whether the user is connected, invisible or not. For the user's own eyes only.
    pub fn is_connected(&self, user: &str) -> bool {
        self.lock().registry.is_connected(user)
    }

    /// Whose connection it is; `None` when it ended or never was.
    pub fn connection_owner(&self, connection: ConnectionId) -> Option<UserId> {
        self.lock().registry.owner(connection).cloned()
    }

    /// Subscribes the connection to the presence of `users`, in their order. Returns how many
    /// were left out because it has as many as it may; `None` when the connection is gone.
    ///
    /// Subscribe before reading what the reply says: then no change is lost between the two.
    pub fn subscribe_presence(
        &self,
        connection: ConnectionId,
        scope: Scope,
        users: impl IntoIterator<Item = UserId>,
    ) -> Option<usize> {
        self.update(|state, _| {
            state.registry.owner(connection)?;
            Some(state.watchers.subscribe(connection, scope, users))
        })
    }

    /// The connection watches the channel; its other watchers hear of a user who is new there.
    /// False when the connection is gone.
    pub fn watch_channel(&self, connection: ConnectionId, cid: &Cid) -> bool {
        self.update(|state, _| {
            let Some(user) = state.registry.owner(connection).cloned() else {
                return false;
            };
            let watched_before = state.is_watching(&user, cid);
            if state.watchers.watch(connection, cid) && !watched_before && state.registry.is_online(&user) {
                state.notify_watching(&user, cid, true);
            }
            true
        })
    }

    /// The connection stops watching the channel and the presence of its members.
    pub fn stop_watching(&self, connection: ConnectionId, cid: &str) {
        self.update(|state, _| {
            let Some(user) = state.registry.owner(connection).cloned() else {
                return;
            };
            if state.watchers.unwatch(connection, cid)
                && !state.is_watching(&user, cid)
                && state.registry.is_online(&user)
            {
                state.notify_watching(&user, &cid.into(), false);
            }
        });
    }

    /// The users whom others see watching the channel, by id. Their number is `watcher_count`.
    pub fn watchers_of(&self, cid: &str) -> Vec<UserId> {
        self.lock().visible_watchers(cid).into_iter().collect()
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

    /// Ends every connection with the close code, and lets no new one in.
    pub fn close(&self, code: u16) {
        let mut state = self.lock();
        state.closing = true;
        for (_, outbox) in state.outboxes.drain() {
            outbox.close(code);
        }
        drop(state);
        self.shared.sooner.notify_one();
    }

    /// Waits until the last connection has ended after [`Hub::close`].
    pub async fn drained(&self) {
        loop {
            let ended = self.shared.ended.notified();
            if self.connection_count() == 0 {
                return;
            }
            ended.await;
        }
    }

    /// Waits until everything that happened so far is told and written, and lets no more out.
    pub async fn finish(&self) {
        let (done, finished) = oneshot::channel();
        self.notify(Notice::Stop(done));
        // The announcer may have stopped before.
        let _ = finished.await;
    }

    /// How many connections live.
    pub fn connection_count(&self) -> usize {
        self.lock().registry.connection_count()
    }

    fn notify(&self, notice: Notice) {
        self.lock().notify(notice);
    }

    /// Puts the event into the queue of every connection it is for. A connection that does not
    /// keep up is closed: a reconnect and a snapshot are its recovery.
    fn deliver(&self, envelope: &Envelope) {
        let mut state = self.lock();
        let recipients = state.recipients(&envelope.audience);
        let mut delivered = 0;
        for connection in recipients {
            let Some(outbox) = state.outboxes.get(&connection) else {
                continue;
            };
            if outbox.push(envelope.event.clone()) {
                delivered += 1;
            } else if let Some(outbox) = state.outboxes.remove(&connection) {
                outbox.close(close::TRY_AGAIN_LATER);
                self.shared.metrics.slow_readers.inc();
            }
        }
        self.shared.metrics.events_delivered.inc_by(delivered);
    }

    /// Changes the state, then passes on what follows from the change, all under one lock: the
    /// order of notices is the order of changes.
    fn update<T>(&self, change: impl FnOnce(&mut State, Instant) -> T) -> T {
        let mut state = self.lock();
        let due = state.registry.poll_timeout();
        let result = change(&mut state, Instant::now());
        while let Some(output) = state.registry.poll_output() {
            if matches!(output, Output::Flip { .. }) {
                self.shared.metrics.flips.inc();
            }
            state.pass_on(output);
        }
        self.shared.metrics.observe(
            state.registry.connection_count(),
            state.registry.online_count(),
            state.watchers.subscription_count(),
        );
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

impl State {
    fn notify(&self, notice: Notice) {
        // Fails only when the announcer has ended, and then nobody is left to be told.
        let _ = self.notices.send(notice);
    }

    fn notify_watching(&self, user: &UserId, cid: &Cid, started: bool) {
        self.notify(Notice::Watching {
            user: user.clone(),
            cid: cid.clone(),
            started,
            online: self.registry.is_online(user),
            watcher_count: self.visible_watchers(cid).len(),
        });
    }

    fn pass_on(&self, output: Output) {
        use crate::presence::registry::Reason;
        let toggled = match &output {
            Output::Flip { user, online, reason: Reason::Invisible | Reason::Visible } => Some((user.clone(), *online)),
            _ => None,
        };
        self.notify(Notice::from(output));
        if let Some((user, visible)) = toggled {
            let channels: BTreeSet<Cid> =
                self.registry.connections(&user).iter().flat_map(|c| self.watchers.channels_of(*c).cloned()).collect();
            for cid in channels {
                self.notify_watching(&user, &cid, visible);
            }
        }
    }

    fn is_watching(&self, user: &str, cid: &str) -> bool {
        self.registry.connections(user).iter().any(|c| self.watchers.watches(*c, cid))
    }

    fn visible_watchers(&self, cid: &str) -> BTreeSet<UserId> {
        self.watchers
            .of_channel(cid)
            .filter_map(|connection| self.registry.owner(connection))
            .filter(|user| self.registry.is_online(user))
            .cloned()
            .collect()
    }

    fn recipients(&self, audience: &Audience) -> BTreeSet<ConnectionId> {
        let own = |user: &UserId| self.registry.connections(user).iter().copied();
        match audience {
            Audience::Presence(user) => self.watchers.of_user(user).chain(own(user)).collect(),
            Audience::Users(users) => users.iter().flat_map(own).collect(),
            Audience::Channel(cid) => self.watchers.of_channel(cid).collect(),
            Audience::Outside { cid, users } => {
                users.iter().flat_map(own).filter(|connection| !self.watchers.watches(*connection, cid)).collect()
            }
        }
    }
}
