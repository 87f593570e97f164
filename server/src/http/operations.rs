//! What operators and load balancers ask.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use rollcall_protocol::ErrorCode;
use serde_json::json;
use tokio::time::timeout;

use super::gate;
use super::reply::Reply;
use crate::auth::{Caller, Credentials};
use crate::error::ApiError;
use crate::metrics::Snapshot;
use crate::state::AppState;
use crate::webhook::Webhook;

/// How long the database has to answer: less than those who ask usually wait.
const DATABASE_PATIENCE: Duration = Duration::from_millis(800);

/// `GET /hi`: SDKs call it to open the connection early.
pub async fn hi() -> Reply {
    Reply::ok(&json!({}))
}

/// `GET /healthz`: 200 unless only a restart can help. A database that is away is none of it: who is
/// connected stays so, and a restart would cut them off.
pub async fn health(State(app): State<AppState>) -> Result<Reply, ApiError> {
    match app.hub.is_working() {
        true => Ok(Reply::ok(&json!({ "status": "ok" }))),
        false => Err(ApiError::internal(&"events are told no more")),
    }
}

/// `GET /readyz`: 200 while new clients are welcome, which they are not while the server drains, is
/// cut off from the other nodes, or the database is away.
pub async fn ready(State(app): State<AppState>) -> Response {
    let unready = |why: &'static str| (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    if app.hub.is_closing() {
        return unready("the server is shutting down");
    }
    if !app.hub.is_linked() {
        return unready("the server is cut off from Redis");
    }
    match timeout(DATABASE_PATIENCE, app.store.check()).await {
        Ok(Ok(())) => Reply::ok(&json!({ "status": "ready" })).into_response(),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            unready("the database does not serve")
        }
        Err(_) => unready("the database does not answer"),
    }
}

/// `GET /metrics`, as Prometheus reads it.
///
/// The counts tell who hides from who is gone. On an address that others can reach they are
/// therefore for the server's own token only.
pub async fn metrics(State(app): State<AppState>, headers: HeaderMap) -> Result<impl IntoResponse, ApiError> {
    if !app.config.listen.ip().is_loopback() {
        let token = gate::header(&headers, "authorization");
        let credentials = Credentials { api_key: Some(&app.config.api_key), token, ..Credentials::default() };
        if app.authenticate(&credentials).await?.caller != Caller::Server {
            return Err(ApiError::new(ErrorCode::NotAllowed, "metrics are for a server's token"));
        }
    }
    let (webhooks_waiting, webhook_delay) = app.webhook.as_ref().map(Webhook::backlog).unwrap_or_default();
    // Each session is a connection: counted first, there are not more of them.
    let sessions = app.sessions.count();
    let snapshot = Snapshot { census: app.hub.census(), sessions, webhooks_waiting, webhook_delay };
    let kind = [(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    Ok((kind, app.metrics.to_text(&snapshot)))
}
