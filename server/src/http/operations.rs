//! What operators and load balancers ask.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::reply::Reply;
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
pub async fn metrics(State(app): State<AppState>) -> impl IntoResponse {
    let (webhooks_waiting, webhook_delay) = app.webhook.as_ref().map(Webhook::backlog).unwrap_or_default();
    // Each session is a connection: counted first, there are not more of them.
    let sessions = app.sessions.count();
    let snapshot = Snapshot { census: app.hub.census(), sessions, webhooks_waiting, webhook_delay };
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], app.metrics.to_text(&snapshot))
}
