//! What every request and connection shares.

use std::sync::Arc;

use rollcall_protocol::ErrorCode;

use crate::aside::Aside;
use crate::auth::{Authenticated, Authenticator, Caller, Credentials, Issued};
use crate::config::Config;
use crate::connection::admission::Admission;
use crate::connection::poll::Sessions;
use crate::error::ApiError;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::profile::{self, ProfileLocks};
use crate::rate_limit::RateLimiter;
use crate::store::{self, Store, StoreError, User};
use crate::webhook::Webhook;

/// The server's parts, put together once.
pub struct App {
    pub config: Config,
    pub store: Arc<dyn Store>,
    pub hub: Hub,
    pub webhook: Option<Webhook>,
    pub metrics: Metrics,
    pub profiles: Arc<ProfileLocks>,
    pub sessions: Sessions,
    pub authenticator: Authenticator,
    pub admission: Admission,
    pub limiter: RateLimiter,
    pub aside: Aside,
}

pub type AppState = Arc<App>;

impl App {
    /// Says who the caller is, or with which code to refuse them.
    pub async fn authenticate(&self, credentials: &Credentials<'_>) -> Result<Authenticated, ApiError> {
        let authenticated = self.authenticator.authenticate(credentials, store::now())?;
        if let Caller::User(id) = &authenticated.caller {
            self.admit(id, authenticated.issued_at).await?;
        }
        Ok(authenticated)
    }

    /// Refuses users who were deleted or deactivated, and tokens that were revoked. Returns the user,
    /// who may be new.
    pub async fn admit(&self, id: &str, issued_at: Issued) -> Result<Option<User>, ApiError> {
        let (user, revoked) = self.store.bearer(id).await.map_err(unchecked)?;
        user.as_ref().map_or(Ok(()), profile::admit)?;
        let revoked = revoked.max(user.as_ref().and_then(|user| user.revoke_tokens_issued_before));
        match revoked.is_some_and(|before| issued_at.is_revoked(before)) {
            false => Ok(user),
            // The code that makes an SDK ask its application for a new token.
            true => Err(ApiError::new(ErrorCode::TokenExpired, "the token was revoked: get a new one")),
        }
    }
}

/// Nobody is let in whose token cannot be looked up, nor told that it is wrong.
fn unchecked(error: StoreError) -> ApiError {
    tracing::error!(%error, "a token could not be checked");
    ApiError::temporary(ErrorCode::AuthBackendFailed, "your token could not be checked just now")
}
