//! Messages: sending them, and telling who is to read them.

use std::collections::HashMap;

use axum::extract::State;
use rollcall_protocol::{ErrorCode, event};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::{Author, Call};
use super::copies::Copies;
use super::path::Path;
use super::people::People;
use super::reply::Reply;
use super::tell::{Teller, serialized};
use super::{access, channels};
use crate::auth::Caller;
use crate::channel_type::ChannelType;
use crate::error::ApiError;
use crate::state::{App, AppState};
use crate::store::{self, Channel, Member, Message, NewMessage, Timestamp};
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

/// From when on a member sees each channel's messages: who joined with `hide_history`, or hid the
/// channel with `clear_history`, does not see those of before.
#[derive(Default)]
pub struct History(HashMap<String, Timestamp>);

impl History {
    pub fn of(memberships: &[Member]) -> Self {
        let begins = memberships.iter().filter_map(|member| Some((member.cid.clone(), member.hide_messages_before?)));
        Self(begins.collect())
    }

    pub fn shows(&self, message: &Message) -> bool {
        self.0.get(&message.cid).is_none_or(|begin| message.created_at > *begin)
    }
}

/// A message as callers write one.
#[derive(Deserialize)]
pub struct MessageInput {
    id: Option<String>,
    #[serde(default)]
    text: String,
    parent_id: Option<String>,
    #[serde(flatten)]
    author: Author,
    #[serde(flatten)]
    custom: Map<String, Value>,
}

/// `POST /channels/{type}/{id}/message`: writes a message and tells the channel.
pub async fn send(
    State(app): State<AppState>,
    Path((kind, id)): Path<(String, String)>,
    call: Call,
) -> Result<Reply, ApiError> {
    let Send { message } = call.input()?;
    let channel = channels::find(&app, &kind, &id).await?;
    let message = write(&app, &call, &channel, message).await?;
    let people = People::load(&app, &call.caller, [&*message.user_id]).await?;
    let author = people.get(&message.user_id);
    let shape = author.map(|author| wire::Message::new(&message, author));
    Ok(Reply::created(&json!({ "message": shape })))
}

/// Writes a message for the caller, if they may, and tells the channel.
pub async fn write(app: &App, call: &Call, channel: &Channel, input: MessageInput) -> Result<Message, ApiError> {
    access::write(app, call, channel, "CreateMessage").await?;
    if (channel.frozen || channel.disabled) && call.caller != Caller::Server {
        return Err(ApiError::not_allowed(format!("channel {} is frozen: nobody writes there", channel.cid)));
    }
    let new = new_message(call, channel, input)?;
    let message = app.store.insert_message(&new, store::now()).await?;
    announce(app, channel, &message).await?;
    Ok(message)
}

fn new_message(call: &Call, channel: &Channel, input: MessageInput) -> Result<NewMessage, ApiError> {
    let longest = ChannelType::named(&channel.kind).map_or(0, |kind| kind.config.max_message_length);
    if input.text.chars().count() > longest {
        let message = format!("the message is longer than {longest} characters");
        return Err(ApiError::new(ErrorCode::MessageTooLong, message));
    }
    let user_id = call.author(input.author)?;
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

/// Those who watch get the message, members who do not are told that there is one: each member
/// with what they have not read.
async fn announce(app: &App, channel: &Channel, message: &Message) -> Result<(), ApiError> {
    let teller = Teller::new(app, channel, [&*message.user_id]).await?;
    let Some(author) = teller.user(&message.user_id) else {
        return Ok(());
    };
    let event = wire::Event {
        message_id: Some(&message.id),
        message: Some(wire::Message::new(message, author.clone())),
        user: Some(author),
        watcher_count: app.hub.watchers_of(&[channel.cid.as_str().into()]).await.first().map(Vec::len),
        channel_member_count: Some(channel.member_count),
        ..teller.event(event::MESSAGE_NEW)
    };
    let notification =
        wire::Event { channel: Some(teller.channel()), ..event.clone().renamed(event::NOTIFICATION_MESSAGE_NEW) };
    let mut members = app.store.member_ids(&channel.cid).await?;
    let presences = app.hub.presence_of(members.iter().map(|id| id.as_str().into()).collect()).await;
    members.retain(|id| presences.of(id).connected);
    teller.onlookers(&members, &event)?;
    let copies = Copies::new(app, &channel.cid, serialized(&event)?, serialized(&notification)?);
    let (seen, hidden): (Vec<_>, Vec<_>) = members.into_iter().partition(|id| presences.of(id).in_sight);
    copies.tell(&seen).await?;
    if !hidden.is_empty() {
        let tell = async move {
            if let Err(error) = copies.tell(&hidden).await {
                tracing::error!(%error, "a message could not be told to members who hide");
            }
        };
        app.aside.add(tell).await;
    }
    Ok(())
}
