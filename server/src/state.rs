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
use crate::store::{self, Store, StoreError};
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
    pub aside: Aside,
}

pub type AppState = Arc<App>;

impl App {
    /// Says who the caller is, or with which code to refuse them.
    pub async fn authenticate(&self, credentials: &Credentials<'_>) -> Result<Caller, ApiError> {
        let Authenticated { caller, issued_at } = self.authenticator.authenticate(credentials, store::now())?;
        if let Caller::User(id) = &caller {
            self.admit(id, issued_at).await?;
        }
        Ok(caller)
    }

    /// Refuses users who were deleted or deactivated, and tokens that were revoked.
    async fn admit(&self, id: &str, issued_at: Issued) -> Result<(), ApiError> {
        let user = self.store.user(id).await.map_err(unchecked)?;
        user.as_ref().map_or(Ok(()), profile::admit)?;
        let revoked = user.and_then(|user| user.revoke_tokens_issued_before);
        let revoked = revoked.max(self.store.tokens_revoked_before().await.map_err(unchecked)?);
        match (revoked, issued_at) {
            (None, _) | (_, Issued::Unsigned) => Ok(()),
            (Some(revoked), Issued::At(issued)) if issued >= revoked => Ok(()),
            // The code that makes an SDK ask its application for a new token.
            _ => Err(ApiError::new(ErrorCode::TokenExpired, "the token was revoked: get a new one")),
        }
    }
}

/// Nobody is let in whose token cannot be looked up, nor told that it is wrong.
fn unchecked(error: StoreError) -> ApiError {
    tracing::error!(%error, "a token could not be checked");
    ApiError::temporary(ErrorCode::AuthBackendFailed, "your token could not be checked just now")
}
