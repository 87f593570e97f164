//! What operators and load balancers ask.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::reply::Reply;
use crate::error::ApiError;
use crate::state::AppState;

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
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics.to_text())
}
