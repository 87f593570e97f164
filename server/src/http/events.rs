//! Events that clients send, and what they have read.

use std::collections::BTreeMap;

use axum::extract::State;
use rollcall_protocol::{ErrorCode, event as name};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::call::{Author, Call};
use super::path::Path;
use super::reply::Reply;
use super::tell::{self, Teller};
use super::{access, channels};
use crate::channel_type::{ChannelType, Config};
use crate::error::ApiError;
use crate::state::{App, AppState};
use crate::store::{self, Channel, Read, Timestamp};
use crate::wire;

#[derive(Deserialize)]
struct Send {
    event: Input,
}

#[derive(Deserialize)]
struct Input {
    #[serde(rename = "type")]
    kind: String,
    parent_id: Option<String>,
    #[serde(flatten)]
    author: Author,
    #[serde(flatten)]
    custom: Map<String, Value>,
}

/// `POST /channels/{type}/{id}/event`: typing, or an event of the application's own.
pub async fn send(
    State(app): State<AppState>,
    Path((kind, id)): Path<(String, String)>,
    call: Call,
) -> Result<Reply, ApiError> {
    let Send { event } = call.input()?;
    let channel = channels::find(&app, &kind, &id).await?;
    access::write(&app, &call, &channel, "SendEvent").await?;
    let config = config(&channel)?;
    let allowed = match event.kind.as_str() {
        name::TYPING_START | name::TYPING_STOP => config.typing_events,
        kind if is_built_in(kind) => {
            return Err(ApiError::input(format!("only the server sends {kind:?}")));
        }
        kind => {
            custom_name(kind)?;
            config.custom_events
        }
    };
    if !allowed {
        let message = format!("channels of type {kind:?} have {:?} switched off", event.kind);
        return Err(ApiError::new(ErrorCode::EventNotSupported, message));
    }
    let me = &*call.author(event.author)?;
    let custom = tell::without_built_in(event.custom);
    let teller = Teller::new(&app, &channel, [me]).await?;
    let event = wire::Event {
        user: Some(teller.user(me).ok_or_else(|| ApiError::not_found(format!("Can't find user with id {me}")))?),
        parent_id: event.parent_id.as_deref(),
        custom: Some(&custom),
        ..teller.event(&event.kind)
    };
    teller.watchers(&event)?;
    Ok(Reply::created(&json!({ "event": event })))
}

/// Whether only the server may say this: anything else would be a forgery.
fn is_built_in(kind: &str) -> bool {
    const FAMILIES: &[&str] = &[
        "app.",
        "channel.",
        "connection.",
        "health.",
        "member.",
        "message.",
        "notification.",
        "poll.",
        "reaction.",
        "thread.",
        "typing.",
        "user.",
    ];
    kind.is_empty() || FAMILIES.iter().any(|family| kind.starts_with(family))
}

/// Refuses a name that ends the programs of those who hear it: the official JavaScript SDK looks
/// its listeners up by it in a plain object, and throws at what every object there inherits.
pub(super) fn custom_name(kind: &str) -> Result<(), ApiError> {
    const INHERITED: &[&str] = &[
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
    ];
    if kind.starts_with("__") || INHERITED.contains(&kind) {
        return Err(ApiError::input(format!("{kind:?} is a name that JavaScript has a use for itself")));
    }
    Ok(())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MarkRead {
    message_id: Option<String>,
}

/// `POST /channels/{type}/{id}/read`: the caller has read the channel, up to `message_id`.
pub async fn mark_read(
    State(app): State<AppState>,
    Path((kind, id)): Path<(String, String)>,
    call: Call,
) -> Result<Reply, ApiError> {
    let MarkRead { message_id } = call.input()?;
    let channel = channels::find(&app, &kind, &id).await?;
    access::read(&app, &call, &channel).await?;
    if !config(&channel)?.read_events {
        let message = format!("channels of type {kind:?} have read events switched off");
        return Err(ApiError::new(ErrorCode::EventNotSupported, message));
    }
    let me = call.require_user()?;
    let message_id = message_id.filter(|id| !id.is_empty());
    let read = app.store.mark_read(&channel.cid, me, message_id.as_deref(), store::now()).await?;
    let teller = Teller::new(&app, &channel, [me]).await?;
    let event = tell_read(&app, &teller, &channel, &read).await?;
    Ok(Reply::created(&json!({ "event": event })))
}

/// `POST /channels/read`: the caller has read everything.
pub async fn mark_all_read(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    let me = call.require_user()?;
    let reads = app.store.mark_all_read(me, store::now()).await?;
    let cids: Vec<String> = reads.iter().map(|read| read.cid.clone()).collect();
    let channels = app.store.channels(&cids).await?;
    for read in &reads {
        let Some(channel) = channels.iter().find(|channel| channel.cid == read.cid) else {
            continue;
        };
        let teller = Teller::new(&app, channel, [me]).await?;
        tell_read(&app, &teller, channel, read).await?;
    }
    Ok(Reply::created(&json!({})))
}

/// Tells the channel how far somebody has read, and that user's other devices what is left.
async fn tell_read<'t>(
    app: &App,
    teller: &'t Teller<'_>,
    channel: &'t Channel,
    read: &'t Read,
) -> Result<wire::Event<'t>, ApiError> {
    let event = wire::Event {
        user: teller.user(&read.user_id),
        last_read_message_id: read.last_read_message_id.as_deref(),
        ..teller.event(name::MESSAGE_READ)
    };
    teller.watchers(&event)?;
    let unread = app.store.unread(&read.user_id).await?;
    let own = wire::Event {
        channel: Some(wire::Channel::new(channel, None)),
        unread: Some(unread.into()),
        ..event.clone().renamed(name::NOTIFICATION_MARK_READ)
    };
    teller.user_alone(&read.user_id, &own)?;
    Ok(event)
}

#[derive(Serialize)]
struct UnreadChannel<'a> {
    channel_id: &'a str,
    unread_count: u32,
    last_read: Timestamp,
}

#[derive(Default, Serialize)]
struct UnreadType<'a> {
    channel_type: &'a str,
    channel_count: u32,
    unread_count: u32,
}

/// `GET /unread`: what the caller has not read, channel by channel.
pub async fn unread(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    let me = call.require_user()?;
    let total = app.store.unread(me).await?;
    let cids = app.store.channels_of(me).await?;
    let reads = app.store.reads_by(me, &cids).await?;
    let mut channels = Vec::new();
    let mut types: BTreeMap<&str, UnreadType<'_>> = BTreeMap::new();
    for read in reads.iter().filter(|read| read.unread_messages > 0) {
        let channel_type = read.cid.split(':').next().unwrap_or_default();
        let of_type = types.entry(channel_type).or_insert(UnreadType { channel_type, ..UnreadType::default() });
        of_type.channel_count += 1;
        of_type.unread_count += read.unread_messages;
        channels.push(UnreadChannel {
            channel_id: &read.cid,
            unread_count: read.unread_messages,
            last_read: read.last_read,
        });
    }
    Ok(Reply::ok(&json!({
        "total_unread_count": total.messages,
        "total_unread_threads_count": 0,
        "channels": channels,
        "channel_type": types.into_values().collect::<Vec<_>>(),
        "threads": [],
    })))
}

fn config(channel: &Channel) -> Result<&'static Config, ApiError> {
    let kind = ChannelType::named(&channel.kind);
    let missing = || ApiError::not_found(format!("channel type {:?} does not exist", channel.kind));
    Ok(&kind.ok_or_else(missing)?.config)
}
