//! The REST side: one file per resource, and around them authentication, rate limits, CORS and
//! the one place that writes replies.

mod access;
mod call;
mod channel_data;
mod channel_state;
mod channels;
mod cors;
mod endpoint;
mod flag;
mod gate;
mod messages;
mod operations;
mod people;
mod rate_limit;
mod reply;
mod subscription;
mod tell;
mod users;

use std::sync::Arc;

use axum::routing::{MethodRouter, get, patch, post};
use axum::{Router, middleware};
use tower_http::services::ServeDir;

use crate::error::ApiError;
use crate::state::AppState;
use endpoint::Endpoint;
use gate::Gate;
pub use rate_limit::RateLimiter;

/// Every endpoint, the files of `--www`, and `connections`: the addresses that clients connect to.
pub fn router(app: AppState, connections: Router<AppState>) -> Router {
    let limiter = Arc::new(RateLimiter::new(None));
    let at = |endpoint: Endpoint, methods: MethodRouter<AppState>| {
        let gate = Gate { app: app.clone(), limiter: limiter.clone(), endpoint };
        methods.layer(middleware::from_fn_with_state(gate, gate::pass))
    };
    let api = Router::new()
        .route("/users", at(endpoint::UPDATE_USERS, post(users::upsert)))
        .route("/users", at(endpoint::UPDATE_USERS_PARTIAL, patch(users::update)))
        .route("/users", at(endpoint::QUERY_USERS, get(users::query)))
        .route("/channels", at(endpoint::QUERY_CHANNELS, get(channels::query).post(channels::query)))
        .route("/channels/{type}/query", at(endpoint::GET_OR_CREATE_CHANNEL, post(channels::open_distinct)))
        .route("/channels/{type}/{id}/query", at(endpoint::GET_OR_CREATE_CHANNEL, post(channels::open)))
        .route("/channels/{type}/{id}/stop-watching", at(endpoint::STOP_WATCHING, post(channels::stop_watching)))
        .route("/channels/{type}/{id}/message", at(endpoint::SEND_MESSAGE, post(messages::send)));
    let files = app.config.www.as_ref().map(ServeDir::new);
    let routes = api
        .merge(connections)
        .route("/hi", get(operations::hi))
        .route("/healthz", get(operations::health))
        .route("/metrics", get(operations::metrics))
        .method_not_allowed_fallback(unknown);
    match files {
        Some(files) => routes.fallback_service(files.fallback(get(unknown))),
        None => routes.fallback(unknown),
    }
    .layer(middleware::from_fn(reply::finish))
    .layer(cors::layer())
    .with_state(app)
}

async fn unknown() -> ApiError {
    ApiError::not_found("there is no such endpoint")
}
