//! What the hub's lock guards: the registry, the watchers, and the way out for each connection.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use rollcall_protocol::{close, extension::reason};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::announcer::Notice;
use super::clocks::Clocks;
use super::delivery;
use super::outbox::{Outbox, Refused};
use super::visit::Visit;
use crate::bus::{Audience, Event};
use crate::channel_type::ChannelType;
use crate::metrics::Metrics;
use crate::presence::journal::{Happening, Journal};
use crate::presence::registry::{Claim, Output, Reason, Registry};
use crate::presence::rules::Ending;
use crate::presence::watchers::Watchers;
use crate::presence::{Cid, ConnectionId, UserId};
use crate::store::{self, Timestamp};
use crate::wire;

pub(super) struct State {
    pub registry: Registry,
    pub watchers: Watchers,
    pub outboxes: HashMap<ConnectionId, Outbox>,
    pub visits: HashMap<ConnectionId, Arc<Visit>>,
    pub journal: Journal,
    /// Unbounded, because it is written to under the lock; the announcer outruns its writers,
    /// who all wait for the database first.
    pub notices: mpsc::UnboundedSender<Notice>,
    pub metrics: Metrics,
    pub last_seq: i64,
    /// There may be other nodes.
    pub has_peers: bool,
    pub expulsions: u64,
    pub closing: bool,
}

impl State {
    /// Forgets the connection, and tells whom its end concerns.
    pub fn disconnect(&mut self, now: Instant, connection: ConnectionId, ending: Ending) {
        let Some(user) = self.registry.owner(connection).cloned() else {
            return;
        };
        self.visits.remove(&connection);
        self.journal.add(now, &user, Happening::Disconnected(connection, ending.reason()));
        let in_sight = self.registry.is_in_sight(&user);
        self.registry.disconnect(now, connection, ending);
        // First offline, then no longer watching, channel by channel in their order: as it looks when
        // somebody hides.
        self.settle();
        for cid in self.watchers.remove(connection) {
            if in_sight && !self.is_watching(&user, &cid) {
                self.notify_watching(&user, &cid, false);
            }
        }
    }

    /// The connection stops watching the channel and the presence of its members.
    pub fn unwatch(&mut self, connection: ConnectionId, cid: &str) {
        let Some(user) = self.registry.owner(connection).cloned() else {
            return;
        };
        if self.watchers.unwatch(connection, cid) && self.registry.is_in_sight(&user) && !self.is_watching(&user, cid) {
            self.notify_watching(&user, &cid.into(), false);
        }
    }

    pub fn notify(&self, notice: Notice) {
        // Fails only when the announcer has ended, and then nobody is left to be told.
        if self.notices.send(notice).is_ok() {
            self.metrics.untold.inc();
        }
    }

    /// The channel's watchers hear of one more or less, unless its type is one for crowds.
    pub fn notify_watching(&self, user: &UserId, cid: &Cid, started: bool) {
        self.share_watching(user, cid, started, tells_who_watches(cid));
    }

    /// Nobody watches the channel any more, which is gone.
    pub fn forget_channel(&mut self, cid: &Cid) {
        for user in self.visible_watchers(cid) {
            // Those who watched are told that the channel is gone.
            self.share_watching(&user, cid, false, false);
        }
        self.watchers.forget_channel(cid);
    }

    /// Other nodes count who watches, whether or not anybody is told.
    fn share_watching(&self, user: &UserId, cid: &Cid, started: bool, told: bool) {
        if !told && !self.has_peers {
            return;
        }
        self.notify(Notice::Watching {
            user: user.clone(),
            cid: cid.clone(),
            started,
            online: self.registry.is_online(user),
            watcher_count: if told { self.visible_watchers(cid).len() } else { 0 },
            ended: None,
            told,
        });
    }

    /// Passes on what follows from the changes so far.
    pub fn settle(&mut self) {
        while let Some(output) = self.registry.poll_output() {
            match output {
                Output::Online { user } => self.flip(user, true, None, None),
                Output::Offline { user, reason, last_heard } => {
                    self.flip(user, false, Some(reason), last_heard.map(|heard| Clocks::read().at(heard)));
                }
                Output::Active { user } => self.notify(Notice::Active { user }),
                // Others who watch a channel see a user there only while they do not hide.
                Output::InSight { user, in_sight } => {
                    for cid in self.watched_by(&user) {
                        self.notify_watching(&user, &cid, in_sight);
                    }
                }
            }
        }
        for user in self.registry.take_moved() {
            if self.has_peers {
                let claim = self.registry.claim(&user);
                self.notify(Notice::Claims { user, claim, ended: None });
            }
        }
    }

    fn flip(&mut self, user: UserId, online: bool, reason: Option<Reason>, last_heard: Option<Timestamp>) {
        match online {
            true => self.metrics.came_online.inc(),
            false => self.metrics.went_offline.inc(),
        };
        let happening = match reason {
            None => Happening::Online,
            Some(_) if self.registry.is_connected(&user) => Happening::Hidden,
            Some(reason) => Happening::Offline(reason),
        };
        self.journal.add(Instant::now(), &user, happening);
        let now = store::now();
        // Grows through restarts too, without being kept anywhere.
        self.last_seq = now.as_microsecond().max(self.last_seq + 1);
        let reason = reason.map(word);
        let explanation = wire::Explanation { seq: self.last_seq, reason, last_heard_at: last_heard };
        // Another flip may have followed already, and is told next.
        let claim = match self.registry.claim(&user) {
            claim if claim.shows() == online => claim,
            _ if online => Claim::Waiting,
            _ => Claim::Gone,
        };
        self.notify(Notice::Flipped { user, claim, at: Instant::now(), explanation, id: Uuid::new_v4() });
    }

    pub fn watched_by(&self, user: &str) -> BTreeSet<Cid> {
        let connections = self.registry.connections(user).iter();
        connections.flat_map(|connection| self.watchers.channels_of(*connection).cloned()).collect()
    }

    pub fn is_watching(&self, user: &str, cid: &str) -> bool {
        self.registry.connections(user).iter().any(|c| self.watchers.watches(*c, cid))
    }

    pub fn visible_watchers(&self, cid: &str) -> BTreeSet<UserId> {
        self.watchers
            .of_channel(cid)
            .filter_map(|connection| self.registry.owner(connection))
            .filter(|user| self.registry.is_in_sight(user))
            .cloned()
            .collect()
    }

    /// The user hides or does not, on all their connections.
    pub fn set_aside(&self, user: &UserId) {
        let hides = self.registry.standing(user).invisible;
        let connections = self.registry.connections(user).iter();
        connections.filter_map(|connection| self.outboxes.get(connection)).for_each(|outbox| outbox.put_aside(hides));
    }

    /// Puts the event into the queues of these connections. One that does not keep up is closed: a
    /// reconnect and a snapshot are its recovery.
    pub fn push(&mut self, recipients: Vec<ConnectionId>, event: Arc<Event>) {
        let mut delivered = 0;
        let mut deliveries = Vec::new();
        for connection in recipients {
            let Some(outbox) = self.outboxes.get(&connection) else {
                continue;
            };
            match outbox.push(event.clone()) {
                Ok(delivery) => {
                    delivered += 1;
                    deliveries.extend(delivery);
                }
                Err(Refused) => {
                    if let Some(outbox) = self.outboxes.remove(&connection) {
                        outbox.close(close::TRY_AGAIN_LATER);
                        self.metrics.slow_readers.inc();
                    }
                }
            }
        }
        self.metrics.events_delivered.inc_by(delivered);
        delivery::start(deliveries);
    }

    /// Each connection once.
    pub fn recipients(&self, audience: &Audience) -> Vec<ConnectionId> {
        let own = |user: &UserId| self.registry.connections(user).iter().copied();
        let mut recipients: Vec<_> = match audience {
            Audience::Presence(user) => self.watchers.of_user(user).chain(own(user)).collect(),
            Audience::Users(users) => users.iter().flat_map(own).collect(),
            Audience::Channel(cid) => self.watchers.of_channel(cid).collect(),
            Audience::Onlookers { cid, members } => {
                let is_member = |connection: &ConnectionId| {
                    self.registry.owner(*connection).is_some_and(|owner| members.contains(owner))
                };
                self.watchers.of_channel(cid).filter(|connection| !is_member(connection)).collect()
            }
            Audience::Inside { cid, users } => {
                users.iter().flat_map(own).filter(|connection| self.watchers.watches(*connection, cid)).collect()
            }
            Audience::Outside { cid, users } => {
                users.iter().flat_map(own).filter(|connection| !self.watchers.watches(*connection, cid)).collect()
            }
        };
        recipients.sort_unstable();
        recipients.dedup();
        recipients
    }
}

/// What a reason is called on the wire.
pub(super) fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::Closed => reason::CLOSED,
        Reason::Left => reason::LEFT,
        Reason::Lost => reason::LOST,
    }
}

/// Whether those who watch the channel are told who else begins and ends to.
pub(super) fn tells_who_watches(cid: &str) -> bool {
    let kind = cid.split(':').next().and_then(ChannelType::named);
    kind.is_none_or(|kind| kind.config.connect_events)
}
