//! What operators and load balancers ask.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde_json::json;

use super::reply::Reply;
use crate::error::ApiError;
use crate::state::AppState;

/// `GET /hi`: SDKs call it to open the connection early.
pub async fn hi() -> Reply {
    Reply::ok(&json!({}))
}

/// `GET /healthz`: 200 while requests can be served.
pub async fn health(State(app): State<AppState>) -> Result<Reply, ApiError> {
    app.store.check().await?;
    Ok(Reply::ok(&json!({ "status": "ok" })))
}

/// `GET /metrics`, as Prometheus reads it.
pub async fn metrics(State(app): State<AppState>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics.to_text())
}
