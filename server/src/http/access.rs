//! Who may read and write which channel.

use serde_json::{Value, json};

use super::call::Call;
use crate::auth::Caller;
use crate::channel_type::ChannelType;
use crate::error::ApiError;
use crate::state::App;
use crate::store::Channel;

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

async fn belongs(app: &App, call: &Call, channel: &Channel, action: &str) -> Result<(), ApiError> {
    let id = match &call.caller {
        Caller::Server => return Ok(()),
        Caller::Anonymous => "!anon",
        Caller::User(id) => &**id,
    };
    let ids = [id.to_owned()];
    if channel.created_by_id.as_deref() == Some(id) || !app.store.members(&channel.cid, &ids).await?.is_empty() {
        return Ok(());
    }
    Err(ApiError::not_allowed(format!(
        "User '{id}' is not a member of channel '{}' and is not allowed to perform action {action} in scope '{}'",
        channel.cid, channel.kind
    )))
}

fn is_open(channel: &Channel) -> bool {
    ChannelType::named(&channel.kind).is_some_and(|kind| kind.open)
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
