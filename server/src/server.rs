//! The server as a value: bound, then run until told to stop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rollcall_protocol::close;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::aside::Aside;
use crate::auth::Authenticator;
use crate::cluster::{self, Cluster};
use crate::config::{Config, ConfigError};
use crate::connection::{self, admission::Admission, places::Places, poll::Sessions};
use crate::http;
use crate::hub::{self, Hub};
use crate::listener::{Certificate, ListenError, Listener};
use crate::metrics::Metrics;
use crate::profile::ProfileLocks;
use crate::rate_limit::RateLimiter;
use crate::state::{App, AppState};
use crate::store::{self, StoreError};
use crate::webhook::{Receiver, Webhook, WebhookError};

/// What is kept of the time to stop, or half of it, to write and tell what happened last.
const GOODBYE: Duration = Duration::from_secs(1);

/// A server that holds its address and its database, ready to run.
pub struct Server {
    app: AppState,
    listener: Listener,
    address: SocketAddr,
}

/// Why the server did not start. One line, for whoever starts it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("the address is not known: {0}")]
    Address(#[from] io::Error),
    #[error("cannot open the database of --database: {0}")]
    Database(#[from] StoreError),
    #[error("--redis cannot be used: {0}")]
    Redis(#[from] cluster::OpenError),
    #[error("--api-secret cannot be used: {0}")]
    Secret(#[from] hmac::digest::InvalidLength),
    #[error("--webhook-url cannot be used: {0}")]
    Webhook(#[from] WebhookError),
}

impl Server {
    /// Takes the address, opens the database and brings it up to date.
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        let config = config.complete()?;
        // The address first: a second server started by mistake leaves the database alone.
        let listener = Listener::bind(&config).await?;
        let address = listener.address()?;
        let app = Self::assemble(config).await?;
        Ok(Self { app, listener, address })
    }

    /// What a server is without its address: opens the database and brings it up to date.
    pub async fn assemble(config: Config) -> Result<AppState, StartError> {
        let authenticator = Authenticator::new(&config.api_key, &config.api_secret, config.dev_tokens)?;
        let store = store::open(&config.database, config.limits.store()).await?;
        let metrics = Metrics::default();
        let options = hub::Options {
            grace: config.grace(),
            damping: config.damping(),
            connections: config.limits.connections,
            connections_per_user: config.limits.connections_per_user,
            anonymous_connections: config.limits.anonymous_connections,
            subscriptions: config.limits.subscriptions_per_connection,
            queue: config.limits.event_queue,
        };
        let cluster = |url| Cluster::new(url, &config.api_key, config.cluster(), metrics.clone());
        let cluster = config.redis.as_deref().map(cluster).transpose()?;
        let alone = cluster.is_none();
        let webhook = match &config.webhook_url {
            Some(url) => {
                let receiver = Receiver { url, api_key: &config.api_key, secret: &config.api_secret };
                Some(Webhook::start(receiver, store.clone(), !alone, &metrics).await?)
            }
            None => None,
        };
        let hub = Hub::start(&options, store.clone(), webhook.clone(), metrics.clone(), cluster);
        if alone {
            let cut_off: Vec<_> = store.online_users().await?.into_iter().map(Into::into).collect();
            hub.presume_online(&cut_off);
        }
        let profiles = Arc::new(ProfileLocks::default());
        let sessions = Sessions::new(config.limits.idle_timeout);
        hub.join(store.clone(), profiles.clone(), Arc::new(sessions.clone())).await?;
        let admission = Admission::new(config.limits.connects_at_once, config.limits.connect_patience, metrics.clone());
        let limiter = RateLimiter::new(config.limits.rate_limit_scale, config.limits.user_requests_per_minute);
        Ok(Arc::new(App {
            config,
            store,
            hub,
            webhook,
            metrics,
            profiles,
            sessions,
            authenticator,
            admission,
            limiter,
            aside: Aside::start(),
        }))
    }

    /// The certificate, if it speaks TLS.
    pub fn certificate(&self) -> Option<&Arc<Certificate>> {
        self.listener.certificate()
    }

    /// Where it listens; with port 0 in the configuration, the port it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is done, then ends every connection with 1001 within
    /// `--drain-window` and returns when all is written, or after `--shutdown-timeout`.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self { app, listener, .. } = self;
        let (stop, stopped) = oneshot::channel::<()>();
        let router = http::router(app.clone(), connection::router());
        let when_full = http::when_full(app.clone());
        let places = Places::new(app.config.limits.pending_connections, app.metrics.clone());
        let serving = listener.serve(router, when_full, places, async {
            // Dropping the sender stops the server just as well.
            let _ = stopped.await;
        });
        let mut serving = std::pin::pin!(serving);
        tokio::select! {
            () = &mut serving => {}
            () = shutdown => {}
        }
        // Requests are answered meanwhile: those who are not ended yet go on making them.
        tokio::select! {
            () = &mut serving => {}
            () = app.hub.drain(close::GOING_AWAY, app.config.drain_window) => {}
        }
        drop(stop);
        if let Some(webhook) = &app.webhook {
            webhook.hurry();
        }
        let patience = app.config.shutdown_timeout;
        let deadline = Instant::now() + patience;
        // Whoever dawdles over a request or its reply takes no time from what follows.
        let under_way = async {
            serving.await;
            app.hub.drained().await;
        };
        if timeout_at(deadline - GOODBYE.min(patience / 2), under_way).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        let goodbye = async {
            app.hub.finish().await;
            app.hub.leave().await;
        };
        if timeout_at(deadline, goodbye).await.is_err() {
            tracing::warn!("what happened last was not told in time");
        }
        if let Some(webhook) = &app.webhook {
            webhook.finish(deadline).await;
        }
        // What was written is on the disk; a file that somebody has locked need not be waited for.
        if timeout_at(deadline, app.store.close()).await.is_err() {
            tracing::warn!("the database was not closed in time");
        }
    }
}
