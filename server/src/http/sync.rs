//! `/sync`: what a client missed while it was away.

use std::collections::HashSet;

use axum::extract::State;
use rollcall_protocol::{event, limits};
use serde::Deserialize;
use serde_json::json;

use super::call::Call;
use super::flag::Flag;
use super::messages::History;
use super::people::People;
use super::reply::Reply;
use super::{access, subscription};
use crate::error::ApiError;
use crate::presence::Cid;
use crate::state::AppState;
use crate::store::Timestamp;
use crate::wire;

#[derive(Deserialize)]
struct Sync {
    channel_cids: Vec<String>,
    last_sync_at: Timestamp,
    #[serde(default)]
    watch: Flag,
    #[serde(default)]
    with_inaccessible_cids: Flag,
}

const CHANNELS_PER_SYNC: usize = 255;

/// `POST /sync`: the messages that the caller missed since `last_sync_at`, as events; with `watch`
/// the connection gets the channels' events from now on. Presence is not replayed: what counts is
/// how it is now.
pub async fn sync(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    let Sync { channel_cids, last_sync_at, watch, with_inaccessible_cids } = call.input()?;
    if !(1..=CHANNELS_PER_SYNC).contains(&channel_cids.len()) {
        return Err(ApiError::input(format!("channel_cids must name 1 to {CHANNELS_PER_SYNC} channels")));
    }
    let connection = match watch.0 {
        true => Some(subscription::require_connection(&app, &call).await?),
        false => None,
    };
    let channels = app.store.channels(&channel_cids).await?;
    let mut readable = Vec::with_capacity(channels.len());
    for channel in channels {
        if access::read(&app, &call, &channel).await.is_ok() {
            readable.push(channel.cid);
        }
    }
    // Before the messages are read: one in between comes as an event.
    let unwatched = match connection {
        Some(connection) => {
            let cids: Vec<Cid> = readable.iter().map(|cid| cid.as_str().into()).collect();
            app.hub.watch_channels(connection, &cids).await?
        }
        None => Vec::new(),
    };
    let limit = limits::MESSAGES_PER_REQUEST;
    let mut missed = app.store.latest_messages(&readable, limit as u32).await?;
    let history = match call.acting_user() {
        Some(user) => History::of(&app.store.memberships(user, &readable).await?),
        None => History::default(),
    };
    missed.retain(|message| message.created_at > last_sync_at && history.shows(message));
    if missed.len() >= limit {
        return Err(ApiError::input("too many events since last_sync_at: query the channels instead"));
    }
    let people = People::load(&app, &call.caller, missed.iter().map(|message| &*message.user_id)).await?;
    let events = missed.iter().filter_map(|message| {
        let author = people.get(&message.user_id)?;
        Some(wire::Event {
            message_id: Some(&message.id),
            message: Some(wire::Message::new(message, author.clone())),
            user: Some(author),
            ..wire::Event::in_channel(event::MESSAGE_NEW, &message.cid, message.created_at)
        })
    });
    let mut body = json!({ "events": events.collect::<Vec<_>>() });
    if !unwatched.is_empty() {
        body["watch_omitted"] = json!(unwatched);
    }
    if with_inaccessible_cids.0 {
        let readable: HashSet<&str> = readable.iter().map(String::as_str).collect();
        let others = channel_cids.iter().filter(|cid| !readable.contains(cid.as_str()));
        body["inaccessible_cids"] = others.map(String::as_str).collect();
    }
    Ok(Reply::created(&body))
}
