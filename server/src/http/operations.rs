//! What operators and load balancers ask.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use rollcall_protocol::ErrorCode;
use serde_json::json;

use super::gate;
use super::reply::Reply;
use crate::auth::{Caller, Credentials};
use crate::error::ApiError;
use crate::metrics::Snapshot;
use crate::state::AppState;
use crate::webhook::Webhook;

/// `GET /hi`: SDKs call it to open the connection early.
pub async fn hi() -> Reply {
    Reply::ok(&json!({}))
}

/// `GET /healthz`: 200 while requests can be served. Otherwise a restart may help.
pub async fn health(State(app): State<AppState>) -> Result<Reply, ApiError> {
    app.store.check().await?;
    Ok(Reply::ok(&json!({ "status": "ok" })))
}

/// `GET /readyz`: 200 while new clients are welcome, which they are not while the server drains.
pub async fn ready(State(app): State<AppState>) -> Result<Response, ApiError> {
    if app.hub.is_closing() {
        return Ok((StatusCode::SERVICE_UNAVAILABLE, "the server is shutting down").into_response());
    }
    app.store.check().await?;
    Ok(Reply::ok(&json!({ "status": "ready" })).into_response())
}

/// `GET /metrics`, as Prometheus reads it.
///
/// The counts tell who hides from who is gone. On an address that others can reach they are
/// therefore for the server's own token only.
pub async fn metrics(State(app): State<AppState>, headers: HeaderMap) -> Result<impl IntoResponse, ApiError> {
    if !app.config.listen.ip().is_loopback() {
        let token = gate::header(&headers, "authorization");
        let credentials = Credentials { api_key: Some(&app.config.api_key), token, ..Credentials::default() };
        if app.authenticate(&credentials).await? != Caller::Server {
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
