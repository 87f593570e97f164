//! The copies of a message's event: each member gets theirs, with what they have not read.

use std::sync::Arc;

use crate::bus::{Audience, Event};
use crate::error::ApiError;
use crate::hub::Hub;
use crate::presence::Cid;
use crate::state::App;
use crate::store::Store;
use crate::wire;

/// What the copies are made of.
pub struct Copies {
    store: Arc<dyn Store>,
    hub: Hub,
    cid: Cid,
    /// For connections that watch the channel.
    event: Event,
    /// For those that do not.
    notification: Event,
}

impl Copies {
    pub fn new(app: &App, cid: &str, event: Event, notification: Event) -> Self {
        Self { store: app.store.clone(), hub: app.hub.clone(), cid: cid.into(), event, notification }
    }

    /// Tells these members. What they have not read takes long to count when it is much.
    pub async fn tell(&self, members: &[String]) -> Result<(), ApiError> {
        let unread = self.store.unread_of(members).await?;
        for id in members {
            let unread = wire::Unread::from(unread.get(id).copied().unwrap_or_default());
            let copy = |event: &Event| event.with(&unread).map_err(|error| ApiError::internal(&error));
            let (cid, users) = (self.cid.clone(), vec![id.as_str().into()]);
            let (inside, outside) = (copy(&self.event)?, copy(&self.notification)?);
            self.hub.publish(Audience::Inside { cid: cid.clone(), users: users.clone() }, inside);
            self.hub.publish(Audience::Outside { cid, users }, outside);
        }
        Ok(())
    }
}
