//! Requests that subscribe a connection to what they read.

use super::call::Call;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::presence::ConnectionId;
use crate::state::App;

const NO_CONNECTION: &str = "Watch or Presence requires an active websocket connection, please make sure to include \
                             your websocket connection_id";

/// The live connection that the call names, if it is one of the caller's own.
pub async fn connection(app: &App, call: &Call) -> Result<Option<ConnectionId>, ApiError> {
    let Some(id) = call.connection_id().and_then(ConnectionId::parse) else {
        return Ok(None);
    };
    let Some(owner) = app.hub.connection_owner(id).await? else {
        return Ok(None);
    };
    Ok(match &call.caller {
        Caller::User(user) => (*user == owner).then_some(id),
        // Nobody can guess a connection's id.
        Caller::Server | Caller::Anonymous => Some(id),
    })
}

/// Like [`connection`], for what cannot be done without one.
pub async fn require_connection(app: &App, call: &Call) -> Result<ConnectionId, ApiError> {
    connection(app, call).await?.ok_or_else(|| ApiError::input(NO_CONNECTION))
}
