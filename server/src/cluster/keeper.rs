//! Keeps the node in the cluster: renews its lease, comes back when it was cut off, and clears up after
//! nodes that are no more.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{Pipeline, Value};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use super::connection::{Link, OpenError, names};
use super::keys::{self, PARTS, Topic};
use super::lease::{self, Lease, Renewal};
use super::{Cluster, Node, Unlinked};
use crate::presence::{Cid, UserId};

/// Waits between attempts to reach Redis, up to this long.
const LONGEST_RETRY: Duration = Duration::from_secs(1);
/// A reply that takes longer will not come any more.
const LONGEST_REPLY: Duration = Duration::from_secs(2);
/// Topics, users or parts in one go.
const CHUNK: usize = 500;

/// Opens the first link and goes on keeping one.
pub async fn start(cluster: Cluster, node: Arc<dyn Node>) -> Result<(), OpenError> {
    let mut keeper =
        Keeper { cluster, node, links: 0, former: Vec::new(), vouched_until: Instant::now(), deaf_from: None };
    let link = keeper.open().await?;
    tokio::spawn(async move { keeper.run(link).await });
    Ok(())
}

struct Keeper {
    cluster: Cluster,
    node: Arc<dyn Node>,
    /// How many links there were.
    links: u64,
    /// Leases whose claims have to be taken back once this node's are made anew: those of before, and those of
    /// others that it was clearing up after when the link broke.
    former: Vec<Lease>,
    /// Until then other nodes believe what this one claims.
    vouched_until: Instant,
    /// From then on something may have been missed that was not asked for yet.
    deaf_from: Option<Instant>,
}

impl Keeper {
    async fn run(mut self, mut link: Link) {
        loop {
            self.hold(&link).await;
            if self.is_leaving() {
                return;
            }
            self.former.push(link.lease);
            let last_heard = self.vouched_until.checked_sub(self.span());
            self.deaf_from = self.deaf_from.or(last_heard);
            link = match self.reopen().await {
                Some(link) => link,
                None => return,
            };
        }
    }

    /// Connects under a new lease and listens to all that is wanted.
    async fn open(&mut self) -> Result<Link, OpenError> {
        self.links += 1;
        let lease = Lease::new(self.cluster.id(), self.links);
        let node = self.node.clone();
        let (cluster, of) = (self.cluster.clone(), lease.clone());
        let patience = (self.span() / 3).min(LONGEST_REPLY);
        let heard = move |message| node.heard(message);
        let lost = move || cluster.lost(&of);
        let keys = self.cluster.shared.keys.clone();
        let link = Link::open(&self.cluster.shared.addresses, lease, keys, patience, heard, lost).await?;
        let begun = Instant::now();
        lease::begin(&link, self.span()).await?;
        let _gate = self.cluster.shared.gate.write().await;
        let mut topics = self.cluster.topics().deaf();
        topics.extend([Topic::Node(self.cluster.id()), Topic::Nodes]);
        for some in topics.chunks(CHUNK) {
            link.listen(some).await?;
        }
        self.cluster.topics().hears(&topics, &link.lease);
        self.vouched_until = begun + self.span();
        *self.cluster.shared.link.write().unwrap_or_else(PoisonError::into_inner) = Some(link.clone());
        tracing::info!(lease = %link.lease, "in the cluster");
        Ok(link)
    }

    /// Tries until it has a link again; `None` when it is no longer wanted.
    async fn reopen(&mut self) -> Option<Link> {
        let doubt_from = self.vouched_until;
        let (cluster, node) = (self.cluster.clone(), self.node.clone());
        let mut leaving = self.cluster.shared.leaving.subscribe();
        let longest = self.longest_retry();
        let mut reopened = pin!(async {
            let mut wait = Duration::from_millis(50);
            loop {
                match self.open().await {
                    Ok(link) => return link,
                    Err(error) => tracing::warn!(%error, "cut off from Redis"),
                }
                self.cluster.shared.metrics.redis_errors.inc();
                sleep(wait).await;
                wait = (wait * 2).min(longest);
            }
        });
        loop {
            tokio::select! {
                link = &mut reopened => return Some(link),
                () = sleep_until(doubt_from), if !cluster.in_doubt() => cluster.doubt(&*node, true),
                _ = leaving.wait_for(|leaving| *leaving) => return None,
            }
        }
    }

    /// Renews the lease as long as the link holds.
    async fn hold(&mut self, link: &Link) {
        let span = self.span();
        let mut renewals = interval(span / 3);
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut leaving = self.cluster.shared.leaving.subscribe();
        let former = std::mem::take(&mut self.former);
        let unfinished = Arc::new(Mutex::new(Vec::new()));
        let (mut settled, mut cleared) = (false, false);
        // When Redis was away all leases ended, and all nodes come back. Each has as long as a lease for
        // it before anything of theirs is taken back.
        let clears_from = Instant::now() + span;
        let mut settling = pin!(settle(&self.cluster, &*self.node, link, &former, self.deaf_from));
        let mut clearing = pin!(clear_former(&self.cluster, &*self.node, link, &former, self.longest_retry()));
        loop {
            tokio::select! {
                _ = renewals.tick() => {}
                () = &mut settling, if !settled => {
                    settled = true;
                    self.deaf_from = None;
                    if self.cluster.is_linked_by(link) {
                        self.cluster.doubt(&*self.node, false);
                    }
                    continue;
                }
                () = &mut clearing, if settled && !cleared => {
                    cleared = true;
                    continue;
                }
                () = self.cluster.shared.broken.notified() => {
                    if self.cluster.is_linked_by(link) {
                        continue;
                    }
                    break;
                }
                _ = leaving.wait_for(|leaving| *leaving) => return,
            }
            let asked = Instant::now();
            match lease::renew(link, span, asked >= clears_from).await {
                Ok(Renewal::Holds { to_clear }) => {
                    self.vouched_until = asked + span;
                    for ended in to_clear {
                        let (cluster, node, link) = (self.cluster.clone(), self.node.clone(), link.clone());
                        let unfinished = unfinished.clone();
                        unfinished.lock().unwrap_or_else(PoisonError::into_inner).push(ended.clone());
                        tokio::spawn(async move {
                            if clear(&cluster, &*node, &link, &ended).await.is_ok() {
                                let mut unfinished = unfinished.lock().unwrap_or_else(PoisonError::into_inner);
                                unfinished.retain(|lease| *lease != ended);
                            }
                        });
                    }
                    tokio::spawn(listen_less(self.cluster.clone(), self.node.clone()));
                }
                Ok(Renewal::Over) => {
                    self.cluster.broke(link, &"the lease ended");
                    break;
                }
                Err(error) => {
                    self.cluster.broke(link, &error);
                    break;
                }
            }
        }
        if !cleared {
            self.former = former.clone();
        }
        self.former.append(&mut unfinished.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn span(&self) -> Duration {
        self.cluster.shared.options.lease
    }

    fn longest_retry(&self) -> Duration {
        LONGEST_RETRY.min(self.span() / 4)
    }

    fn is_leaving(&self) -> bool {
        *self.cluster.shared.leaving.borrow()
    }
}

/// Says everything under the link's lease, and only then ends those of before: nobody whom this node has
/// flaps. What was missed meanwhile is asked for.
async fn settle(cluster: &Cluster, node: &dyn Node, link: &Link, former: &[Lease], deaf_from: Option<Instant>) {
    node.claim_all().await;
    for lease in former {
        if let Err(error) = lease::end(link, lease).await {
            cluster.broke(link, &error);
            std::future::pending::<()>().await;
        }
    }
    node.look_again(deaf_from.map(|from| from.elapsed())).await;
}

/// Takes back what this node does not say any more since it said everything again. Whoever went from here to
/// another node while Redis was away was said there by then: all nodes try to come back at least that often.
async fn clear_former(cluster: &Cluster, node: &dyn Node, link: &Link, former: &[Lease], retry: Duration) {
    if former.is_empty() {
        return;
    }
    sleep(retry * 5 / 4).await;
    for lease in former {
        if clear(cluster, node, link, lease).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Takes back what was claimed under a lease that ended. It fails when the link is broken, and some of it may
/// not be done.
async fn clear(cluster: &Cluster, node: &dyn Node, link: &Link, ended: &Lease) -> Result<(), Unlinked> {
    let (users, watches) = sweep(cluster, link, ended).await?;
    tracing::info!(lease = %ended, users = users.len(), "a lease ended");
    node.take_back(ended, users, watches).await;
    if !cluster.is_linked_by(link) {
        return Err(Unlinked);
    }
    lease::cleared(link, ended).await.map_err(|error| {
        cluster.broke(link, &error);
        Unlinked
    })
}

type Claims = (Vec<UserId>, Vec<(Cid, UserId)>);

async fn sweep(cluster: &Cluster, link: &Link, ended: &Lease) -> Result<Claims, Unlinked> {
    let keys = &link.keys;
    let mut commands = Pipeline::new();
    for part in 0..PARTS {
        let command = commands.cmd("EVALSHA").arg(&*link.scripts.sweep).arg(3);
        command.arg(keys.claimed(part, ended)).arg(keys.watched(part, ended)).arg(keys.swept(part, ended));
    }
    let (mut users, mut watches) = (Vec::new(), Vec::new());
    for reply in cluster.ask(link, &commands).await? {
        if let Value::Array(lists) = reply
            && let Ok([claimed, watched]) = <[Value; 2]>::try_from(lists)
        {
            users.extend(names(claimed));
            watches.extend(names(watched).iter().filter_map(|entry| keys::parse_watched(entry)));
        }
    }
    Ok((users, watches))
}

/// Ends listening to what nobody needs any more.
async fn listen_less(cluster: Cluster, node: Arc<dyn Node>) {
    let _gate = cluster.shared.gate.write().await;
    let unneeded = cluster.topics().take_unneeded(std::time::Instant::now(), |topic| node.needs(topic));
    unneeded.iter().for_each(|topic| node.forget(topic));
    let Some(link) = cluster.link() else { return };
    for some in unneeded.chunks(CHUNK) {
        // If it fails the link is broken, and a new one begins without them.
        if let Err(error) = link.ignore(some).await {
            return cluster.broke(&link, &error);
        }
    }
}

impl Cluster {
    /// Whether this is the link that is used now.
    pub fn is_linked_by(&self, link: &Link) -> bool {
        self.link().is_some_and(|current| current.lease == link.lease)
    }

    /// The connection under this lease ended.
    fn lost(&self, lease: &Lease) {
        if let Some(link) = self.link().filter(|link| link.lease == *lease) {
            self.broke(&link, &"a connection ended, or what was listened to has moved");
        }
    }

    fn doubt(&self, node: &dyn Node, in_doubt: bool) {
        if self.shared.in_doubt.swap(in_doubt, std::sync::atomic::Ordering::Relaxed) != in_doubt {
            node.doubt(in_doubt);
        }
    }
}
