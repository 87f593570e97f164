//! Tells the application's own server who came online and who went offline.
//!
//! Each flip is one `POST` of the event, signed as the hosted service signs its webhooks, so that
//! an official SDK's `verifyWebhook` accepts it. A delivery that fails is tried again; while it
//! is, a newer flip of the same user takes its place, because presence is a state: what an
//! application that was down needs to know is how things are. So at most one delivery a user
//! waits, and those of one user never overtake each other. Users whose deliveries fail, or hang,
//! hold up no other: only some of the workers are for them.
//!
//! What is not delivered is in the database too: after a stop or a crash the next start, or another
//! server, goes on with it. A server that is alone writes it in one transaction with the user's
//! presence; of several the one that made the flip does, once the others have heard of it.

mod outbox;
mod queue;
mod sender;

use std::sync::Arc;
use std::time::Duration;

use hmac::digest::InvalidLength;
use reqwest::Url;
use tokio::time::{interval, timeout_at};

use crate::metrics::Metrics;
use crate::store::{Flip, Store, StoreError};
pub use outbox::event_of;
use outbox::{ABANDONED, Outbox};
use queue::{Delivery, Queue};
use sender::{Failure, Sender};

/// Deliveries under way at once, each of another user.
const WORKERS: usize = 32;
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(60);
/// Attempts after which a delivery is given up: about ten minutes.
const ATTEMPTS: u32 = 16;

/// Where flips are told. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Webhook {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Queue,
    outbox: Outbox,
    sender: Sender,
    metrics: Metrics,
}

/// Why there is no webhook.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("the secret cannot sign: {0}")]
    Secret(#[from] InvalidLength),
    #[error("{0}")]
    Client(#[from] reqwest::Error),
    #[error("--api-key cannot be sent in a header")]
    ApiKey,
    #[error("what it was not told yet is not known: {0}")]
    Database(#[from] StoreError),
}

/// Who has to be told, and how that is signed.
pub struct Receiver<'a> {
    pub url: &'a Url,
    pub api_key: &'a str,
    pub secret: &'a str,
}

impl Webhook {
    /// Starts the workers with what was not told before. They end with the runtime. With `peers`
    /// other servers use the same store, and this one also tells what one of them has left.
    pub async fn start(
        receiver: Receiver<'_>,
        store: Arc<dyn Store>,
        peers: bool,
        metrics: &Metrics,
    ) -> Result<Self, WebhookError> {
        let shared = Arc::new(Shared {
            queue: Queue::new(WORKERS / 2),
            outbox: Outbox::new(store, peers),
            sender: Sender::new(receiver.url, receiver.api_key, receiver.secret)?,
            metrics: metrics.clone(),
        });
        shared.take_over().await?;
        for _ in 0..WORKERS {
            tokio::spawn(work(shared.clone()));
        }
        if peers {
            tokio::spawn(look_after(shared.clone()));
        }
        Ok(Self { shared })
    }

    /// Whether a flip has to be in the store before anybody is told of it. Of several servers it is
    /// known only then which of them made it, and [`Webhook::tell`] writes it.
    pub fn is_alone(&self) -> bool {
        !self.shared.outbox.shared
    }

    /// These users came online or went offline, each with the event that says so.
    pub async fn tell(&self, flips: Vec<(Flip, String)>) {
        let (kept, events): (Vec<_>, Vec<_>) = flips.into_iter().unzip();
        self.shared.outbox.put(&kept).await;
        for (flip, event) in kept.into_iter().zip(events) {
            self.shared.queue.put(Delivery::new(flip, event));
        }
    }

    /// The server is about to end: what waits is tried once more, now.
    pub fn hurry(&self) {
        self.shared.queue.close();
    }

    /// After [`Webhook::hurry`]: waits for those attempts, and logs what is left to the next start.
    pub async fn finish(&self, deadline: tokio::time::Instant) {
        // What is not done by then is in the backlog.
        let _ = timeout_at(deadline, self.shared.queue.idle()).await;
        let (users, _) = self.backlog();
        if users > 0 {
            tracing::warn!(users, "the webhook was not told how these users are: the next start tells it");
        }
    }

    /// How many users' flips are not delivered yet, and how long the first of them has waited.
    pub fn backlog(&self) -> (usize, Duration) {
        let (users, oldest) = self.shared.queue.backlog();
        (users, oldest.map(|since| since.elapsed()).unwrap_or_default())
    }
}

impl Shared {
    /// What a server before, or another one, has left is told by this one.
    async fn take_over(&self) -> Result<(), StoreError> {
        for (flip, event) in self.outbox.claim().await? {
            self.queue.put(Delivery::new(flip, event));
        }
        Ok(())
    }
}

async fn look_after(shared: Arc<Shared>) {
    let mut looks = interval(ABANDONED / 4);
    loop {
        looks.tick().await;
        if let Err(error) = shared.take_over().await {
            tracing::warn!(%error, "what other servers have not told the webhook waits for the database");
        }
    }
}

async fn work(shared: Arc<Shared>) {
    let Shared { queue, outbox, sender, metrics } = &*shared;
    loop {
        let mut delivery = queue.take().await;
        if !outbox.renew(&mut delivery.flip).await {
            queue.done(&delivery);
            continue;
        }
        match sender.send(&delivery).await {
            Ok(()) => {
                metrics.webhooks_delivered.inc();
                outbox.forget(&delivery.flip).await;
                queue.done(&delivery);
            }
            Err(Failure::Passing(reason)) if delivery.attempt < ATTEMPTS => {
                tracing::debug!(%reason, attempt = delivery.attempt, "the webhook is tried again");
                metrics.webhooks_retried.inc();
                let wait = wait_after(delivery.attempt);
                queue.retry(delivery, wait);
            }
            Err(failure) => {
                match failure {
                    Failure::Lasting(status) => {
                        tracing::warn!(%status, "the webhook refuses a flip: it is not told again")
                    }
                    Failure::Passing(reason) => {
                        tracing::warn!(%reason, "the webhook cannot be reached: a flip is given up")
                    }
                }
                metrics.webhooks_failed.inc();
                outbox.forget(&delivery.flip).await;
                queue.done(&delivery);
            }
        }
    }
}

/// Between the failure of an attempt and the next one.
fn wait_after(attempt: u32) -> Duration {
    FIRST_RETRY.saturating_mul(2_u32.saturating_pow(attempt - 1)).min(LONGEST_RETRY)
}
