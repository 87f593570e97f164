//! Messages: sending them, and telling who is to read them.

use axum::extract::{Path, State};
use rollcall_protocol::{ErrorCode, event};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::Call;
use super::people::People;
use super::reply::Reply;
use super::{access, channels, tell};
use crate::auth::Caller;
use crate::bus::Audience;
use crate::channel_type::ChannelType;
use crate::error::ApiError;
use crate::state::{App, AppState};
use crate::store::{self, Channel, Message, NewMessage};
use crate::wire;

/// Fields the server alone writes; SDKs send some of them along.
const RESERVED: &[&str] = &[
    "cid",
    "created_at",
    "deleted_at",
    "deleted_reply_count",
    "html",
    "latest_reactions",
    "mentioned_users",
    "own_reactions",
    "pinned",
    "pinned_at",
    "pinned_by",
    "reaction_counts",
    "reaction_groups",
    "reaction_scores",
    "reply_count",
    "shadowed",
    "silent",
    "status",
    "type",
    "updated_at",
    "user",
    "user_id",
];

#[derive(Deserialize)]
struct Send {
    message: MessageInput,
}

#[derive(Deserialize)]
struct MessageInput {
    id: Option<String>,
    #[serde(default)]
    text: String,
    parent_id: Option<String>,
    user_id: Option<String>,
    user: Option<Author>,
    #[serde(flatten)]
    custom: Map<String, Value>,
}

#[derive(Deserialize)]
struct Author {
    id: String,
}

/// `POST /channels/{type}/{id}/message`: writes a message and tells the channel.
pub async fn send(
    State(app): State<AppState>,
    Path((kind, id)): Path<(String, String)>,
    call: Call,
) -> Result<Reply, ApiError> {
    let Send { message } = call.input()?;
    let channel = channels::find(&app, &kind, &id).await?;
    access::write(&app, &call, &channel, "CreateMessage").await?;
    let new = new_message(&call, &channel, message)?;
    let message = app.store.insert_message(&new, store::now()).await?;
    let people = People::load(&app, &call.caller, [&*message.user_id]).await?;
    announce(&app, &channel, &message).await?;
    let author = people.get(&message.user_id);
    let shape = author.map(|author| wire::Message::new(&message, author));
    Ok(Reply::created(&json!({ "message": shape })))
}

fn new_message(call: &Call, channel: &Channel, input: MessageInput) -> Result<NewMessage, ApiError> {
    let longest = ChannelType::named(&channel.kind).map_or(0, |kind| kind.config.max_message_length);
    if input.text.chars().count() > longest {
        let message = format!("the message is longer than {longest} characters");
        return Err(ApiError::new(ErrorCode::MessageTooLong, message));
    }
    let user_id = match &call.caller {
        Caller::Server => match input.user_id.or(input.user.map(|user| user.id)) {
            Some(id) => id,
            None => call.require_user()?.to_owned(),
        },
        _ => call.require_user()?.to_owned(),
    };
    let mut custom = input.custom;
    custom.retain(|key, _| !RESERVED.contains(&key.as_str()));
    Ok(NewMessage {
        id: input.id.filter(|id| !id.is_empty()).unwrap_or_else(|| Uuid::new_v4().to_string()),
        cid: channel.cid.clone(),
        user_id,
        text: input.text,
        parent_id: input.parent_id.filter(|id| !id.is_empty()),
        custom,
    })
}

/// Those who watch get the message; members who do not are told that there is one.
async fn announce(app: &App, channel: &Channel, message: &Message) -> Result<(), ApiError> {
    let people = People::load(app, &Caller::Anonymous, [&*message.user_id]).await?;
    let Some(author) = people.get(&message.user_id) else {
        return Ok(());
    };
    let cid: crate::presence::Cid = channel.cid.as_str().into();
    let event = wire::Event {
        message_id: Some(&message.id),
        message: Some(wire::Message::new(message, author.clone())),
        user: Some(author),
        watcher_count: Some(app.hub.watchers_of(&cid).len()),
        channel_member_count: Some(channel.member_count),
        ..wire::Event::in_channel(event::MESSAGE_NEW, &cid, message.created_at)
    };
    tell::publish(app, Audience::Channel(cid.clone()), &event)?;
    let users = app.store.member_ids(&cid).await?.iter().map(|id| id.as_str().into()).collect();
    let notification = wire::Event {
        channel: Some(wire::Channel::new(channel, None)),
        ..event.renamed(event::NOTIFICATION_MESSAGE_NEW)
    };
    tell::publish(app, Audience::Outside { cid: cid.clone(), users }, &notification)
}
