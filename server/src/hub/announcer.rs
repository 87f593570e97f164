//! Tells the world, in the order things happened: completes each notice with the user as the
//! store has them, and hands it to the bus.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::metrics::gauge::Gauge;
use rollcall_protocol::event as name;
use tokio::sync::{mpsc, oneshot};

use crate::bus::{Audience, Bus, Envelope};
use crate::presence::{Cid, UserId};
use crate::store::{self, Sighting, Store, StoreError, User};
use crate::webhook::Webhook;
use crate::wire;

/// Notices taken in one go: they share one read of the store.
const BATCH: usize = 256;
/// Waits between attempts while the store fails, up to this long.
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// Something that happened and has to be told.
pub enum Notice {
    /// The user came online or went offline; `last_active` is due.
    Flipped { user: UserId, online: bool, at: Instant, explanation: wire::Explanation },
    /// `last_active` is due.
    Active { user: UserId },
    /// The user's profile changed.
    Updated { user: UserId, online: bool },
    /// The user began or stopped to watch the channel.
    Watching { user: UserId, cid: Cid, started: bool, online: bool, watcher_count: usize },
    /// An event complete as it is.
    Ready(Envelope),
    /// Not told, but done in its turn.
    Turn(Box<dyn FnOnce() + Send + Sync>),
    /// Nothing more will come.
    Stop(oneshot::Sender<()>),
}

pub(super) async fn run(
    mut notices: mpsc::UnboundedReceiver<Notice>,
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    webhook: Option<Webhook>,
    untold: Gauge,
) {
    let mut batch = Vec::new();
    while notices.recv_many(&mut batch, BATCH).await > 0 {
        let users = complete(&*store, &batch).await;
        for notice in batch.drain(..) {
            untold.dec();
            match notice {
                Notice::Turn(work) => work(),
                Notice::Stop(done) => {
                    // Whoever asked may have stopped waiting.
                    let _ = done.send(());
                    return;
                }
                notice => {
                    let flipped = match &notice {
                        Notice::Flipped { user, .. } => Some(user.clone()),
                        _ => None,
                    };
                    let Some(envelope) = envelope(notice, &users) else { continue };
                    if let (Some(webhook), Some(user)) = (&webhook, flipped) {
                        webhook.tell(&user, &envelope.event.json);
                    }
                    bus.publish(envelope);
                }
            }
        }
    }
}

/// Writes who is online since when and reads the users that the notices are about. While the store
/// fails nothing is told: late is better than wrong.
async fn complete(store: &dyn Store, notices: &[Notice]) -> BTreeMap<String, User> {
    let mut wait = Duration::from_millis(50);
    loop {
        match try_complete(store, notices).await {
            Ok(users) => return users,
            Err(error) => tracing::error!(%error, "presence waits for the database"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_RETRY);
    }
}

async fn try_complete(store: &dyn Store, notices: &[Notice]) -> Result<BTreeMap<String, User>, StoreError> {
    let now = store::now();
    let mut seen = Vec::new();
    let mut told = BTreeSet::new();
    for notice in notices {
        match notice {
            Notice::Flipped { user, online, explanation, .. } => {
                let last_active = if *online { Some(now) } else { explanation.last_heard_at };
                seen.push(Sighting { user: user.to_string(), online: *online, last_active });
                told.insert(user);
            }
            Notice::Active { user } => {
                seen.push(Sighting { user: user.to_string(), online: true, last_active: Some(now) });
            }
            Notice::Updated { user, .. } | Notice::Watching { user, .. } => {
                told.insert(user);
            }
            Notice::Ready(_) | Notice::Turn(_) | Notice::Stop(_) => {}
        }
    }
    if !seen.is_empty() {
        store.record_presence(&seen).await?;
    }
    if told.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<_> = told.iter().map(|id| id.to_string()).collect();
    let users = store.users(&ids).await?;
    Ok(users.into_iter().map(|u| (u.id.clone(), u)).collect())
}

/// A user who is no longer in the store was deleted for good: there is nothing left to tell.
fn envelope(notice: Notice, users: &BTreeMap<String, User>) -> Option<Envelope> {
    let now = store::now();
    let (audience, event) = match &notice {
        Notice::Flipped { user, online, at, explanation } => {
            let shape = wire::User::public(users.get(&**user)?, *online);
            let event = wire::Event::presence_changed(shape, now);
            (Audience::Presence(user.clone()), event.serialize_flip(*at, *explanation))
        }
        Notice::Updated { user, online } => {
            let shape = wire::User::public(users.get(&**user)?, *online);
            let event = wire::Event::user_updated(shape, now);
            (Audience::Presence(user.clone()), event.serialize())
        }
        Notice::Watching { user, cid, started, online, watcher_count } => {
            let shape = wire::User::public(users.get(&**user)?, *online);
            let kind = if *started { name::USER_WATCHING_START } else { name::USER_WATCHING_STOP };
            let mut event = wire::Event::in_channel(kind, cid, now);
            event.user = Some(shape);
            event.watcher_count = Some(*watcher_count);
            (Audience::Channel(cid.clone()), event.serialize())
        }
        Notice::Ready(envelope) => return Some(envelope.clone()),
        Notice::Active { .. } | Notice::Turn(_) | Notice::Stop(_) => return None,
    };
    match event {
        Ok(event) => Some(Envelope { audience, event }),
        Err(error) => {
            tracing::error!(%error, "an event could not be serialised");
            None
        }
    }
}
