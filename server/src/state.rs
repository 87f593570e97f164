//! What every request and connection shares.

use std::sync::Arc;

use crate::auth::{Authenticator, Caller, Credentials};
use crate::config::Config;
use crate::error::ApiError;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::profile::ProfileLocks;
use crate::store::{self, Store};

/// The server's parts, put together once.
pub struct App {
    pub config: Config,
    pub store: Arc<dyn Store>,
    pub hub: Hub,
    pub metrics: Metrics,
    pub profiles: ProfileLocks,
    pub authenticator: Authenticator,
}

pub type AppState = Arc<App>;

impl App {
    /// Says who the caller is, or with which code to refuse them.
    pub async fn authenticate(&self, credentials: &Credentials<'_>) -> Result<Caller, ApiError> {
        let authenticated = self.authenticator.authenticate(credentials, store::now())?;
        Ok(authenticated.caller)
    }
}
