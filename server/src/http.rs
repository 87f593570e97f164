//! The REST side: one file per resource, and around them authentication, rate limits, CORS and
//! the one place that writes replies.

mod access;
mod app;
mod call;
mod channel_data;
mod channel_state;
mod channel_updates;
mod channels;
mod copies;
mod cors;
mod events;
mod files;
mod flag;
mod gate;
mod guests;
mod in_flight;
mod inspect;
mod lifecycle;
mod long_poll;
mod members;
mod messages;
mod operations;
mod path;
mod people;
mod reply;
mod subscription;
mod sync;
mod tasks;
mod tell;
mod users;

use std::sync::Arc;

use axum::routing::{MethodRouter, delete, get, patch, post};
use axum::{Router, middleware};

use crate::endpoint::{self, Endpoint};
use crate::error::ApiError;
use crate::state::AppState;
use files::Files;
use gate::Gate;
use in_flight::InFlight;

/// Every endpoint, the files of `--www`, and `connections`: the addresses that clients connect to.
pub fn router(state: AppState, connections: Router<AppState>) -> Router {
    let limits = &state.config.limits;
    let untaken = state.metrics.untaken_reply_bytes.clone();
    let in_flight = Arc::new(InFlight::new(limits.requests_at_once, limits.reply_bytes, untaken));
    let at = |endpoint: Endpoint, methods: MethodRouter<AppState>| {
        let gate = Gate { app: state.clone(), in_flight: in_flight.clone(), endpoint };
        methods.layer(middleware::from_fn_with_state(gate, gate::pass))
    };
    let api = Router::new()
        .route("/longpoll", at(endpoint::LONG_POLL, get(long_poll::poll)))
        .route("/users", at(endpoint::UPDATE_USERS, post(users::upsert)))
        .route("/users", at(endpoint::UPDATE_USERS_PARTIAL, patch(users::update)))
        .route("/users", at(endpoint::QUERY_USERS, get(users::query)))
        .route("/users/delete", at(endpoint::DELETE_USERS, post(lifecycle::delete_many)))
        .route("/users/restore", at(endpoint::RESTORE_USERS, post(lifecycle::restore_many)))
        .route("/users/deactivate", at(endpoint::DEACTIVATE_USERS, post(lifecycle::deactivate_many)))
        .route("/users/reactivate", at(endpoint::REACTIVATE_USERS, post(lifecycle::reactivate_many)))
        .route("/users/{id}", at(endpoint::DELETE_USER, delete(lifecycle::delete)))
        .route("/users/{id}/deactivate", at(endpoint::DEACTIVATE_USER, post(lifecycle::deactivate)))
        .route("/users/{id}/reactivate", at(endpoint::REACTIVATE_USER, post(lifecycle::reactivate)))
        .route("/users/{id}/event", at(endpoint::SEND_USER_EVENT, post(users::send_event)))
        .route("/rollcall/users", at(endpoint::USERS_BY_ID, post(users::by_id)))
        .route("/rollcall/users/{id}/presence", at(endpoint::INSPECT_PRESENCE, get(inspect::presence)))
        .route("/guest", at(endpoint::CREATE_GUEST, post(guests::create)))
        .route("/channels", at(endpoint::QUERY_CHANNELS, get(channels::query).post(channels::query_by_post)))
        .route("/channels/delete", at(endpoint::DELETE_CHANNELS, post(channel_updates::delete_many)))
        .route("/channels/read", at(endpoint::MARK_CHANNELS_READ, post(events::mark_all_read)))
        .route("/channels/{type}/query", at(endpoint::GET_OR_CREATE_CHANNEL, post(channels::open_distinct)))
        .route("/channels/{type}/{id}", at(endpoint::UPDATE_CHANNEL, post(channel_updates::update)))
        .route("/channels/{type}/{id}", at(endpoint::UPDATE_CHANNEL_PARTIAL, patch(channel_updates::update_partial)))
        .route("/channels/{type}/{id}", at(endpoint::DELETE_CHANNEL, delete(channel_updates::delete)))
        .route("/channels/{type}/{id}/query", at(endpoint::GET_OR_CREATE_CHANNEL, post(channels::open)))
        .route("/channels/{type}/{id}/stop-watching", at(endpoint::STOP_WATCHING, post(channels::stop_watching)))
        .route("/channels/{type}/{id}/hide", at(endpoint::HIDE_CHANNEL, post(channel_updates::hide)))
        .route("/channels/{type}/{id}/show", at(endpoint::SHOW_CHANNEL, post(channel_updates::show)))
        .route("/channels/{type}/{id}/message", at(endpoint::SEND_MESSAGE, post(messages::send)))
        .route("/channels/{type}/{id}/event", at(endpoint::SEND_EVENT, post(events::send)))
        .route("/channels/{type}/{id}/read", at(endpoint::MARK_READ, post(events::mark_read)))
        .route(
            "/channels/{type}/{id}/member/{user_id}",
            at(endpoint::UPDATE_MEMBER_PARTIAL, patch(members::update_one)),
        )
        .route("/channels/{type}/{id}/member", at(endpoint::UPDATE_MEMBER_PARTIAL, patch(members::update_own)))
        .route("/members", at(endpoint::QUERY_MEMBERS, get(members::query)))
        .route("/unread", at(endpoint::UNREAD_COUNTS, get(events::unread)))
        .route("/sync", at(endpoint::SYNC, post(sync::sync)))
        .route("/app", at(endpoint::GET_APP, get(app::get)))
        .route("/app", at(endpoint::UPDATE_APP, patch(app::update)))
        .route("/channeltypes", at(endpoint::LIST_CHANNEL_TYPES, get(app::channel_types)))
        .route("/channeltypes/{type}", at(endpoint::GET_CHANNEL_TYPE, get(app::channel_type)))
        .route("/rate_limits", at(endpoint::GET_RATE_LIMITS, get(app::rate_limits)))
        .route("/tasks/{id}", at(endpoint::GET_TASK, get(tasks::get)));
    let files = state.config.www.as_deref().map(Files::of);
    let routes = api
        .merge(connections)
        .merge(for_operators())
        .route("/hi", get(operations::hi))
        .method_not_allowed_fallback(unknown);
    let routes = match files {
        Some(files) => routes.fallback(move |request| files.serve(request)),
        None => routes.fallback(unknown),
    };
    finished(routes, state)
}

/// What answers those for whom there is no place: they are told to come back. Those who ask how the
/// server is learn it all the same.
pub fn when_full(state: AppState) -> Router {
    let busy = || async { ApiError::busy() };
    finished(for_operators().fallback(busy), state)
}

fn for_operators() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(operations::health))
        .route("/readyz", get(operations::ready))
        .route("/metrics", get(operations::metrics))
}

fn finished(routes: Router<AppState>, state: AppState) -> Router {
    routes
        .layer(middleware::from_fn_with_state(state.clone(), gate::measure))
        .layer(middleware::from_fn(reply::finish))
        .layer(cors::layer(&state.config.allowed_origin))
        .with_state(state)
}

async fn unknown() -> ApiError {
    ApiError::not_found("there is no such endpoint")
}
