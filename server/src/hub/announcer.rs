//! Tells the world, in the order things happened: completes each notice with the user as the
//! store has them, and hands it to the bus.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::metrics::gauge::Gauge;
use rollcall_protocol::event as name;
use rollcall_protocol::extension::reason;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use uuid::Uuid;

use crate::bus::{Bus, Either, Envelope, Event, Missed, News, Stands, Updated, Watches};
use crate::cluster::{Lease, Order};
use crate::presence::registry::Claim;
use crate::presence::{Cid, UserId};
use crate::store::{self, Flip, Sighting, Store, StoreError, User};
use crate::webhook::{Webhook, event_of};
use crate::wire;

/// Notices taken in one go: they share one read of the store.
const BATCH: usize = 256;
/// How long the store may take for a batch.
const PATIENCE: Duration = Duration::from_secs(10);
/// Waits between attempts while the store fails, up to this long.
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// Something that happened and has to be told.
pub enum Notice {
    /// The user came online or went offline; `last_active` is due.
    /// `id` is the flip's alone.
    Flipped { user: UserId, claim: Claim, at: Instant, explanation: wire::Explanation, id: Uuid },
    /// How the user stands with this node, or stood with one that has ended; other nodes may have to know.
    Claims { user: UserId, claim: Claim, ended: Option<Lease> },
    /// `last_active` is due.
    Active { user: UserId },
    /// The user's profile changed.
    Updated { user: UserId, online: bool },
    /// Other nodes changed how the user stands, and this node did not hear of it in time.
    Missed { user: UserId },
    /// The user began or stopped to watch the channel; those who watch it are told, or only other nodes.
    Watching {
        user: UserId,
        cid: Cid,
        started: bool,
        online: bool,
        watcher_count: usize,
        ended: Option<Lease>,
        told: bool,
    },
    /// An event complete as it is.
    Ready(Envelope),
    /// What other nodes have to do.
    Order(Order),
    /// Not told, but done in its turn.
    Turn(Box<dyn FnOnce() + Send + Sync>),
    /// Not told, but asked for: the user once everything before is told.
    Greets { user: UserId, done: oneshot::Sender<Option<User>> },
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
    let mut news = Vec::new();
    while notices.recv_many(&mut batch, BATCH).await > 0 {
        let users = complete(&*store, &batch, webhook.as_ref()).await;
        for notice in batch.drain(..) {
            match notice {
                Notice::Turn(work) => {
                    tell(&*bus, webhook.as_ref(), &mut news).await;
                    work();
                }
                Notice::Greets { user, done } => {
                    tell(&*bus, webhook.as_ref(), &mut news).await;
                    // Whoever asked may have stopped waiting.
                    let _ = done.send(users.get(&*user).cloned());
                }
                Notice::Stop(done) => {
                    tell(&*bus, webhook.as_ref(), &mut news).await;
                    // Whoever asked may have stopped waiting.
                    let _ = done.send(());
                    return;
                }
                notice => news.extend(news_of(notice, &users)),
            }
            untold.dec();
        }
        tell(&*bus, webhook.as_ref(), &mut news).await;
    }
}

async fn tell(bus: &dyn Bus, webhook: Option<&Webhook>, news: &mut Vec<News>) {
    let flips = bus.tell(news).await;
    if let Some(webhook) = webhook {
        let told = flips.into_iter().filter_map(|place| match news.get(place)? {
            News::Stands(Stands { user, claim, event, id, .. }) => {
                let flip = flip(user, *claim, *id);
                let event = match event {
                    Some(event) => event.json.to_string(),
                    // Who was told that somebody came is told that they are gone, though there is no profile any more.
                    None if !flip.online => event_of(&flip, None)?,
                    None => return None,
                };
                Some((flip, event))
            }
            _ => None,
        });
        webhook.tell(told.collect()).await;
    }
    news.clear();
}

fn flip(user: &UserId, claim: Claim, id: Uuid) -> Flip {
    let now = store::now();
    Flip { id: id.to_string(), user: user.to_string(), online: claim.shows(), at: now, claimed_at: now }
}

/// Writes who is online since when and reads the users that the notices are about. While the store
/// fails nothing is told: late is better than wrong.
async fn complete(store: &dyn Store, notices: &[Notice], webhook: Option<&Webhook>) -> BTreeMap<String, User> {
    let mut wait = Duration::from_millis(50);
    loop {
        match timeout(PATIENCE, try_complete(store, notices, webhook)).await {
            Ok(Ok(users)) => return users,
            Ok(Err(error)) => tracing::error!(%error, "presence waits for the database"),
            // A query that was on its way when the network was cut may never end.
            Err(late) => tracing::error!(error = %late, "presence waits for the database"),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_RETRY);
    }
}

async fn try_complete(
    store: &dyn Store,
    notices: &[Notice],
    webhook: Option<&Webhook>,
) -> Result<BTreeMap<String, User>, StoreError> {
    let now = store::now();
    let keeps_flips = webhook.is_some_and(Webhook::is_alone);
    let mut untold = Vec::new();
    let mut seen = Vec::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for notice in notices {
        match notice {
            Notice::Flipped { user, claim, explanation, id, .. } => {
                let online = claim.shows();
                let last_active = if online { Some(now) } else { explanation.last_heard_at };
                seen.push(Sighting { user: user.to_string(), online, last_active });
                untold.extend(keeps_flips.then(|| flip(user, *claim, *id)));
                told.insert(user);
            }
            Notice::Active { user } => {
                seen.push(Sighting { user: user.to_string(), online: true, last_active: Some(now) });
            }
            Notice::Claims { user, claim, ended } => {
                if claim.shows() || ended.is_some() {
                    told.insert(user);
                }
            }
            Notice::Updated { user, .. }
            | Notice::Missed { user }
            | Notice::Watching { user, told: true, .. }
            | Notice::Greets { user, .. } => {
                told.insert(user);
            }
            Notice::Watching { told: false, .. }
            | Notice::Ready(_)
            | Notice::Order(_)
            | Notice::Turn(_)
            | Notice::Stop(_) => {}
        }
    }
    let mut users = match seen.is_empty() {
        true => Vec::new(),
        false => store.record_presence(&seen, &untold).await?,
    };
    for user in &users {
        told.remove(user.id.as_str());
    }
    if !told.is_empty() {
        let ids: Vec<String> = told.into_iter().map(str::to_owned).collect();
        users.extend(store.users(&ids).await?);
    }
    Ok(users.into_iter().map(|user| (user.id.clone(), user)).collect())
}

/// Of a user who is no longer in the store, deleted for good, there is nothing left to show: `user.deleted`
/// was the last of it, but for the end of what they watched.
fn news_of(notice: Notice, users: &BTreeMap<String, User>) -> Option<News> {
    let shape = |user: &str, online| Some(wire::User::public(users.get(user)?, online));
    let now = store::now();
    match notice {
        Notice::Flipped { user, claim, at, explanation, id } => {
            let event = shape(&user, claim.shows()).map(|shape| wire::Event::presence_changed(shape, now));
            let event = event.and_then(|event| serialized(&event));
            let event = event.map(|event| Event { flipped_at: Some(at), ..event });
            Some(News::Stands(Stands { user, claim, ended: None, event, explanation, id }))
        }
        Notice::Claims { user, claim, ended } => {
            let shape = shape(&user, claim.shows()).map(|shape| wire::Event::presence_changed(shape, now));
            let event = shape.and_then(|event| serialized(&event));
            let event = event.map(|event| Event { flipped_at: Some(Instant::now()), ..event });
            let reason = ended.is_some().then_some(reason::LOST);
            let explanation = wire::Explanation { seq: 0, reason, last_heard_at: None };
            Some(News::Stands(Stands { user, claim, ended, event, explanation, id: Uuid::new_v4() }))
        }
        Notice::Updated { user, online: is_online } => {
            let event = |online| serialized(&wire::Event::user_updated(shape(&user, online)?, now));
            let event = Either { online: event(true)?, offline: event(false)? };
            let written = users.get(&*user)?.updated_at;
            Some(News::Updated(Updated { user, written, event, is_online }))
        }
        Notice::Missed { user } => {
            let event = |online| serialized(&wire::Event::presence_changed(shape(&user, online)?, now));
            let event = Either { online: event(true)?, offline: event(false)? };
            Some(News::Missed(Missed { user, event }))
        }
        Notice::Watching { user, cid, started: begins, online, watcher_count, ended, told } => {
            let event = told.then(|| {
                let kind = if begins { name::USER_WATCHING_START } else { name::USER_WATCHING_STOP };
                // Who is shown among those who watch has to be taken out, though nothing but the id is left.
                let nobody = User::new(&*user, now);
                let shape = wire::User::public(users.get(&*user).unwrap_or(&nobody), online);
                serialized(&wire::Event { user: Some(shape), ..wire::Event::in_channel(kind, &cid, now) })
            });
            Some(News::Watches(Watches { user, cid, begins, ended, event: event.flatten(), watcher_count }))
        }
        Notice::Ready(envelope) => Some(News::Event(envelope)),
        Notice::Order(order) => Some(News::Order(order)),
        Notice::Active { .. } | Notice::Turn(_) | Notice::Greets { .. } | Notice::Stop(_) => None,
    }
}

fn serialized(event: &wire::Event<'_>) -> Option<Event> {
    event.serialize().inspect_err(|error| tracing::error!(%error, "an event could not be serialised")).ok()
}
