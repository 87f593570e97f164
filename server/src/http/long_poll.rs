//! `GET /longpoll`: what a client asks for when no socket comes through.

use axum::Extension;
use axum::extract::{Request, State};
use rollcall_protocol::ErrorCode;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::call;
use super::flag::Flag;
use super::reply::Reply;
use crate::auth::{ANONYMOUS, Authenticated, Caller, Issued};
use crate::connection;
use crate::connection::handshake::{Extensions, Handshake};
use crate::error::ApiError;
use crate::hub::{Polls, Transport};
use crate::presence::ConnectionId;
use crate::state::AppState;

#[derive(Serialize)]
struct Hello<'a> {
    event: &'a RawValue,
}

#[derive(Serialize)]
struct Events<'a> {
    events: Vec<&'a RawValue>,
}

/// Without a `connection_id` opens a session, with one waits for its events, and with `close`
/// ends it.
pub async fn poll(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(issued_at): Extension<Issued>,
    request: Request,
) -> Result<Reply, ApiError> {
    let query = call::query(request.uri())?;
    let close = query.get("close").and_then(|close| Flag::parse(close)).is_some_and(|close| close.0);
    let Some(id) = query.get("connection_id").filter(|id| !id.is_empty()) else {
        if close {
            // What the official SDK says when no session was opened for it.
            return Ok(Reply::ok(&json!({})));
        }
        let mut handshake = Handshake::read(&request);
        // An answer holds many events as it is.
        handshake.extensions = Extensions::default();
        handshake.origin.transport = Transport::LongPoll;
        handshake.origin.hears_doubt = false;
        let _turn = app.admission.turn().await?;
        let opened = connection::open(&app, Authenticated { caller, issued_at }, &handshake).await?;
        app.sessions.open(opened.membership, opened.inbox);
        return Ok(Reply::ok(&Hello { event: raw(&opened.hello)? }));
    };
    let id = ConnectionId::parse(id).ok_or_else(unknown)?;
    if !is_own(&app, &caller, id).await? {
        return Err(unknown());
    }
    if close {
        match app.hub.close_poll_elsewhere(id).await {
            Some(closed) => closed?,
            None => drop(app.sessions.close(id)),
        }
        return Ok(Reply::ok(&json!({})));
    }
    if let Some(events) = app.hub.poll_elsewhere(id).await {
        let events = events?.ok_or_else(unknown)?;
        let events = events.iter().map(|event| raw(event)).collect::<Result<_, _>>()?;
        return Ok(Reply::ok(&Events { events }));
    }
    let events = app.sessions.poll(id).await.ok_or_else(unknown)?;
    app.metrics.delivery.observe_since(events.iter().filter_map(|event| event.flipped_at));
    let events = events.iter().map(|event| raw(&event.json)).collect::<Result<_, _>>()?;
    Ok(Reply::ok(&Events { events }))
}

async fn is_own(app: &AppState, caller: &Caller, id: ConnectionId) -> Result<bool, ApiError> {
    let owner = app.hub.connection_owner(id).await?;
    Ok(match caller {
        Caller::User(user) => owner.as_ref() == Some(user),
        Caller::Anonymous => owner.as_deref() == Some(ANONYMOUS),
        Caller::Server => false,
    })
}

fn unknown() -> ApiError {
    ApiError::new(ErrorCode::ConnectionIdNotFound, "connection id not found: open a new session without one")
}

fn raw(json: &str) -> Result<&RawValue, ApiError> {
    serde_json::from_str(json).map_err(|error| ApiError::internal(&error))
}
