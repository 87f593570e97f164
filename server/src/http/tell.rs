//! Events about channels: who is told what.

use rollcall_protocol::event;

use super::people::People;
use crate::auth::Caller;
use crate::bus::Audience;
use crate::error::ApiError;
use crate::state::App;
use crate::store::{self, Channel};
use crate::wire;

/// Sends an event.
pub fn publish(app: &App, audience: Audience, event: &wire::Event<'_>) -> Result<(), ApiError> {
    let event = event.serialize().map_err(|error| ApiError::internal(&error))?;
    app.hub.publish(audience, event);
    Ok(())
}

/// Users became members: each hears of it on connections that do not watch the channel.
pub async fn added(app: &App, channel: &Channel, user_ids: &[String]) -> Result<(), ApiError> {
    let members = app.store.members(&channel.cid, user_ids).await?;
    let ids = user_ids.iter().map(String::as_str).chain(channel.created_by_id.as_deref());
    // What goes to many shows everybody as strangers see them.
    let people = People::load(app, &Caller::Anonymous, ids).await?;
    for member in &members {
        let creator = channel.created_by_id.as_deref();
        let event = wire::Event {
            channel: Some(wire::Channel::new(channel, creator.and_then(|id| people.get(id)))),
            member: Some(wire::Member::public(member, people.get(&member.user_id), creator == Some(&*member.user_id))),
            ..wire::Event::in_channel(event::NOTIFICATION_ADDED_TO_CHANNEL, &channel.cid, store::now())
        };
        let users = vec![member.user_id.as_str().into()];
        publish(app, Audience::Outside { cid: channel.cid.as_str().into(), users }, &event)?;
    }
    Ok(())
}
