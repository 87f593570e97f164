//! The bus of several nodes: what happens goes to Redis, and comes back to whoever listens, this node
//! included. So all nodes see one order of what concerns a user or a channel.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use redis::{Pipeline, Value};

use super::{Audience, Bus, Envelope, Missed, News, Stands, Updated, Watches};
use crate::cluster::{Cluster, Flip, Header, Link, NodeId, Order, Topic, Unlinked, Watching, keys};
use crate::presence::UserId;
use crate::presence::registry::Claim;
use crate::store;

/// What the bus brings to this node without Redis.
pub trait Local: Send + Sync {
    fn deliver(&self, envelope: &Envelope);
    fn deliver_updated(&self, updated: &Updated);
    fn deliver_missed(&self, missed: &Missed);
}

pub struct RedisBus {
    cluster: Cluster,
    local: Arc<dyn Local>,
    late: Mutex<Late>,
}

/// What other nodes may not have heard in time. What was ordered may have been undone since: so they are not
/// told to do it, but to read from the database what is so.
#[derive(Debug, Default)]
struct Late {
    /// Users, and whether others may see a difference.
    changed: BTreeMap<UserId, bool>,
    rights: bool,
}

impl Late {
    fn add(&mut self, order: &Order) {
        match order {
            Order::Changed { user, visibly, .. } => *self.changed.entry(user.clone()).or_default() |= visibly,
            Order::Expel { user, .. } => {
                // Whether they may be here at all is in their profile.
                self.changed.entry(user.clone()).or_default();
                self.rights = true;
            }
            Order::ExpelAll { .. } | Order::Evict { .. } | Order::Forget { .. } | Order::CheckRights { .. } => {
                self.rights = true;
            }
        }
    }

    fn take(&mut self, by: NodeId) -> Vec<News> {
        let Self { changed, rights } = std::mem::take(self);
        let changed = changed.into_iter().map(|(user, visibly)| Order::Changed { by, user, visibly });
        changed.chain(rights.then_some(Order::CheckRights { by })).map(News::Order).collect()
    }
}

impl RedisBus {
    pub fn new(cluster: Cluster, local: Arc<dyn Local>) -> Self {
        Self { cluster, local, late: Mutex::default() }
    }

    /// What can be done while Redis is out of reach: events reach the connections of this node. How
    /// users stand is said when it is back, and so is what other nodes have to do; this one has done it.
    fn tell_alone(&self, news: &[News]) {
        for news in news {
            match news {
                News::Event(envelope) => self.local.deliver(envelope),
                News::Order(order) => self.lock_late().add(order),
                News::Stands(_) | News::Watches(_) | News::Updated(_) | News::Missed(_) => {}
            }
        }
    }
}

#[async_trait]
impl Bus for RedisBus {
    async fn tell(&self, news: &[News]) -> Vec<usize> {
        if self.cluster.link().is_some() {
            let late = self.lock_late().take(self.cluster.id());
            self.try_tell(&late).await;
        }
        self.try_tell(news).await
    }
}

impl RedisBus {
    async fn try_tell(&self, news: &[News]) -> Vec<usize> {
        if news.is_empty() {
            return Vec::new();
        }
        let flips = match self.cluster.link() {
            Some(link) => self.tell_all(&link, news).await,
            None => Err(Unlinked),
        };
        let flips = flips.unwrap_or_else(|Unlinked| {
            self.tell_alone(news);
            Vec::new()
        });
        for news in news {
            match news {
                News::Updated(updated) => self.local.deliver_updated(updated),
                News::Missed(missed) => self.local.deliver_missed(missed),
                News::Event(_) | News::Order(_) | News::Stands(_) | News::Watches(_) => {}
            }
        }
        flips
    }

    /// Tells all nodes, this one included.
    async fn tell_all(&self, link: &Link, news: &[News]) -> Result<Vec<usize>, Unlinked> {
        let mut commands = Pipeline::new();
        // For each command the place of the news that it says, if it is how a user stands.
        let mut places = Vec::new();
        for (place, news) in news.iter().enumerate() {
            let before = commands.len();
            add(&mut commands, link, news);
            let place = matches!(news, News::Stands(_)).then_some(place);
            places.extend(std::iter::repeat_n(place, commands.len() - before));
        }
        // What this node hears of it has come before the last reply: newer servers put it after the
        // reply of the command that caused it.
        commands.cmd("PING");
        let replies = self.cluster.ask(link, &commands).await?;
        if replies.contains(&Value::Int(-1)) {
            self.cluster.broke(link, &"the lease ended");
        }
        let flipped = replies.iter().zip(places).filter(|(reply, _)| **reply == Value::Int(1));
        Ok(flipped.filter_map(|(_, place)| place).collect())
    }

    fn lock_late(&self) -> MutexGuard<'_, Late> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(commands: &mut Pipeline, link: &Link, news: &News) {
    match news {
        News::Event(envelope) => {
            for (topic, audience) in audiences(&envelope.audience) {
                link.publish(commands, &topic, &Header::Event { audience }, &envelope.event.json);
            }
        }
        News::Stands(stands) => add_stands(commands, link, stands),
        News::Watches(watches) => add_watches(commands, link, watches),
        News::Updated(_) | News::Missed(_) => {}
        News::Order(order) => {
            let topic = match order {
                Order::Changed { user, .. } | Order::Evict { user, .. } | Order::Expel { user, .. } => {
                    Topic::User(user.clone())
                }
                Order::ExpelAll { .. } | Order::CheckRights { .. } => Topic::Nodes,
                Order::Forget { cid } => Topic::Channel(cid.clone()),
            };
            link.publish(commands, &topic, &Header::Order(order.clone()), "");
        }
    }
}

/// The topics in which an event goes out, and for whom in each.
fn audiences(audience: &Audience) -> Vec<(Topic, Audience)> {
    let each = |users: &[UserId], audience: &dyn Fn(Vec<UserId>) -> Audience| {
        users.iter().map(|user| (Topic::User(user.clone()), audience(vec![user.clone()]))).collect()
    };
    match audience {
        Audience::Presence(user) => vec![(Topic::User(user.clone()), audience.clone())],
        Audience::Channel(cid) | Audience::Onlookers { cid, .. } => {
            vec![(Topic::Channel(cid.clone()), audience.clone())]
        }
        Audience::Users(users) => each(users, &Audience::Users),
        Audience::Inside { cid, users } => each(users, &|users| Audience::Inside { cid: cid.clone(), users }),
        Audience::Outside { cid, users } => each(users, &|users| Audience::Outside { cid: cid.clone(), users }),
    }
}

fn add_stands(commands: &mut Pipeline, link: &Link, stands: &Stands) {
    let Stands { user, claim, ended, event, explanation, .. } = stands;
    let lease = ended.as_ref().unwrap_or(&link.lease);
    let part = keys::part(user);
    let claim_word = match claim {
        Claim::Gone => "gone",
        Claim::Hidden => "hidden",
        Claim::Waiting => "waiting",
        Claim::Hiding => "hiding",
        Claim::Here => "here",
    };
    let flip = Flip {
        user: user.clone(),
        online: claim.shows(),
        at: store::now().as_microsecond(),
        reason: explanation.reason.map(str::to_owned),
        last_heard_at: explanation.last_heard_at,
        seq: 0,
    };
    let command = commands.cmd("EVALSHA").arg(&*link.scripts.presence).arg(3);
    command.arg(link.keys.user(user)).arg(link.keys.claimed(part, lease)).arg(link.keys.swept(part, lease));
    command.arg(claim_word).arg(lease.to_string()).arg(&**user).arg(Header::Flip(flip).head("seq"));
    command.arg(event.as_ref().map_or("", |event| &event.json));
}

fn add_watches(commands: &mut Pipeline, link: &Link, watches: &Watches) {
    let Watches { user, cid, begins, ended, event, .. } = watches;
    let lease = ended.as_ref().unwrap_or(&link.lease);
    let part = keys::part(cid);
    let header = Header::Watching(Watching { cid: cid.clone(), watcher_count: 0 });
    let command = commands.cmd("EVALSHA").arg(&*link.scripts.watching).arg(3);
    command.arg(link.keys.watchers(cid)).arg(link.keys.watched(part, lease)).arg(link.keys.swept(part, lease));
    command.arg(if *begins { "begins" } else { "ends" }).arg(lease.to_string()).arg(&**user).arg(&**cid);
    command.arg(header.head("watcher_count"));
    command.arg(event.as_ref().map_or("", |event| &event.json));
}
