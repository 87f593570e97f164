//! Who may read and write which channel.

use serde_json::{Value, json};

use super::call::Call;
use super::channel_data::{self, ChannelData};
use crate::auth::Caller;
use crate::channel_type::{ChannelType, Standing};
use crate::error::ApiError;
use crate::readers::{self, is_open};
use crate::state::App;
use crate::store::{Channel, Member};

/// The role of a member who may change the channel.
pub const MODERATOR: &str = "channel_moderator";

/// Lets users create any channel except the one that is found by its members when they are none of
/// them: its creator would read along. Anonymous callers create none.
pub fn create(call: &Call, id: &str, data: &ChannelData) -> Result<(), ApiError> {
    match &call.caller {
        Caller::Server => Ok(()),
        Caller::Anonymous => Err(ApiError::not_allowed("anonymous users are not allowed to create channels")),
        Caller::User(me) => match channel_data::is_distinct(id) && !data.has_member(me) {
            true => Err(ApiError::not_allowed(format!("User '{me}' is not among the members of this channel"))),
            false => Ok(()),
        },
    }
}

/// Lets server-side callers, members and the creator through, and anybody for types that are open
/// to all.
pub async fn read(app: &App, call: &Call, channel: &Channel) -> Result<(), ApiError> {
    if is_open(channel) {
        return Ok(());
    }
    belongs(app, call, channel, "ReadChannel").await
}

/// Like [`read`], for those who say something; anonymous callers never may.
pub async fn write(app: &App, call: &Call, channel: &Channel, action: &str) -> Result<(), ApiError> {
    match call.caller {
        Caller::User(_) if is_open(channel) => Ok(()),
        _ => belongs(app, call, channel, action).await,
    }
}

/// Lets server-side callers, the creator and moderators through: those who may change a channel.
pub async fn manage(app: &App, call: &Call, channel: &Channel, action: &str) -> Result<(), ApiError> {
    let id = match &call.caller {
        Caller::Server => return Ok(()),
        Caller::Anonymous => return Err(refused("!anon", channel, action)),
        Caller::User(id) => &**id,
    };
    if channel.created_by_id.as_deref() == Some(id) {
        return Ok(());
    }
    let member = app.store.members(&channel.cid, &[id.to_owned()]).await?.pop();
    match member.is_some_and(|member| member.channel_role == MODERATOR) {
        true => Ok(()),
        false => Err(refused(id, channel, action)),
    }
}

/// What the caller is to the channel; `membership` is theirs, if they are a member.
pub fn standing(call: &Call, channel: &Channel, membership: Option<&Member>) -> Standing {
    let manages = match call.acting_user() {
        Some(id) => {
            channel.created_by_id.as_deref() == Some(id)
                || membership.is_some_and(|member| member.channel_role == MODERATOR)
        }
        None => call.caller == Caller::Server,
    };
    Standing { writes: call.caller != Caller::Anonymous, belongs: membership.is_some(), manages }
}

async fn belongs(app: &App, call: &Call, channel: &Channel, action: &str) -> Result<(), ApiError> {
    let id = match &call.caller {
        Caller::Server => return Ok(()),
        Caller::Anonymous => "!anon",
        Caller::User(id) => &**id,
    };
    match readers::insiders(&*app.store, channel, vec![id.to_owned()]).await?.contains(id) {
        true => Ok(()),
        false => Err(refused(id, channel, action)),
    }
}

fn refused(id: &str, channel: &Channel, action: &str) -> ApiError {
    let Channel { cid, kind, .. } = channel;
    ApiError::not_allowed(format!("User '{id}' is not allowed to perform action {action} on '{cid}' in scope '{kind}'"))
}

/// The filter for channels that [`read`] lets this caller read; `None` when that is all of them.
pub fn readable(call: &Call) -> Option<Value> {
    let types = ChannelType::all().iter().filter(|kind| kind.open).map(|kind| kind.config.name);
    let open = json!({ "type": { "$in": types.collect::<Vec<_>>() } });
    match &call.caller {
        Caller::Server => None,
        Caller::Anonymous => Some(open),
        Caller::User(id) => Some(json!({
            "$or": [open, { "members": { "$in": [&**id] } }, { "created_by_id": &**id }]
        })),
    }
}
