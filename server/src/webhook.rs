//! Tells the application's own server who came online and who went offline.
//!
//! Each flip is one `POST` of the event, signed as the hosted service signs its webhooks, so that
//! an official SDK's `verifyWebhook` accepts it. A delivery that fails is tried again; while it
//! is, a newer flip of the same user takes its place, because presence is a state: what an
//! application that was down needs to know is how things are. So at most one delivery a user
//! waits, and those of one user never overtake each other. Nobody waits with a delivery in hand:
//! a user whose deliveries fail holds up no other.

mod queue;

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Url};
use sha2::Sha256;
use tokio::time::timeout_at;

use crate::metrics::Metrics;
use crate::presence::UserId;
use queue::{Delivery, Queue};

/// HMAC-SHA256 of the body under the API secret, in lowercase hexadecimal.
const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// The same for all attempts of one delivery: what was seen before can be skipped.
const ID: HeaderName = HeaderName::from_static("x-webhook-id");
/// Counts from 1.
const ATTEMPT: HeaderName = HeaderName::from_static("x-webhook-attempt");

/// Deliveries under way at once, each of another user.
const WORKERS: usize = 8;
/// How long the application has to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(60);
/// Attempts after which a delivery is given up: about ten minutes.
const ATTEMPTS: u32 = 16;

/// Where flips are told. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Webhook {
    queue: Arc<Queue>,
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
}

impl Webhook {
    /// Starts the workers. They end with the runtime.
    pub fn start(url: &Url, api_key: &str, secret: &str, metrics: &Metrics) -> Result<Self, WebhookError> {
        // Fails only when there is one already, which will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let queue = Arc::new(Queue::default());
        let sender = Sender {
            client: Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build()?,
            url: url.clone(),
            api_key: HeaderValue::try_from(api_key).map_err(|_| WebhookError::ApiKey)?,
            key: Hmac::<Sha256>::new_from_slice(secret.as_bytes())?,
            metrics: metrics.clone(),
        };
        for _ in 0..WORKERS {
            tokio::spawn(work(queue.clone(), sender.clone()));
        }
        Ok(Self { queue })
    }

    /// The user came online or went offline; `event` is the event that says so.
    pub fn tell(&self, user: &UserId, event: &str) {
        self.queue.put(user, Delivery::new(event.to_owned()));
    }

    /// The server is about to end: what waits is tried once more, now.
    pub fn hurry(&self) {
        self.queue.close();
    }

    /// After [`Webhook::hurry`]: waits for those attempts, and logs what is lost.
    pub async fn finish(&self, deadline: tokio::time::Instant) {
        // What is not done by then is in the backlog.
        let _ = timeout_at(deadline, self.queue.idle()).await;
        let (users, _) = self.backlog();
        if users > 0 {
            tracing::warn!(users, "the webhook was not told how these users are: their flips are lost");
        }
    }

    /// How many users' flips are not delivered yet, and how long the first of them has waited.
    pub fn backlog(&self) -> (usize, Duration) {
        let (users, oldest) = self.queue.backlog();
        (users, oldest.map(|since| since.elapsed()).unwrap_or_default())
    }
}

#[derive(Clone)]
struct Sender {
    client: Client,
    url: Url,
    api_key: HeaderValue,
    key: Hmac<Sha256>,
    metrics: Metrics,
}

/// Whether there is any use in trying the same again.
enum Failure {
    Passing(String),
    Lasting(StatusCode),
}

async fn work(queue: Arc<Queue>, sender: Sender) {
    loop {
        let (user, delivery) = queue.take().await;
        match sender.send(&delivery).await {
            Ok(()) => {
                sender.metrics.webhooks_delivered.inc();
                queue.done(&user);
            }
            Err(Failure::Lasting(status)) => {
                tracing::warn!(%status, "the webhook refuses a flip: it is not told again");
                sender.metrics.webhooks_failed.inc();
                queue.done(&user);
            }
            Err(Failure::Passing(reason)) if delivery.attempt >= ATTEMPTS => {
                tracing::warn!(%reason, "the webhook cannot be reached: a flip is given up");
                sender.metrics.webhooks_failed.inc();
                queue.done(&user);
            }
            Err(Failure::Passing(reason)) => {
                tracing::debug!(%reason, attempt = delivery.attempt, "the webhook is tried again");
                sender.metrics.webhooks_retried.inc();
                let wait = wait_after(delivery.attempt);
                queue.retry(&user, delivery, wait);
            }
        }
    }
}

/// Between the failure of an attempt and the next one.
fn wait_after(attempt: u32) -> Duration {
    FIRST_RETRY.saturating_mul(2_u32.saturating_pow(attempt - 1)).min(LONGEST_RETRY)
}

impl Sender {
    async fn send(&self, delivery: &Delivery) -> Result<(), Failure> {
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(API_KEY, &self.api_key)
            .header(SIGNATURE, self.sign(&delivery.body))
            .header(ID, delivery.id.to_string())
            .header(ATTEMPT, delivery.attempt)
            .body(delivery.body.clone());
        // The URL may hold a password.
        let reply = request.send().await.map_err(|error| Failure::Passing(error.without_url().to_string()))?;
        match reply.status() {
            status if status.is_success() => Ok(()),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                Err(Failure::Passing(reply.status().to_string()))
            }
            status if status.is_client_error() => Err(Failure::Lasting(status)),
            status => Err(Failure::Passing(status.to_string())),
        }
    }

    fn sign(&self, body: &str) -> String {
        let mut key = self.key.clone();
        key.update(body.as_bytes());
        key.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
