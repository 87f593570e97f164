//! Who may read which channel, whatever way they ask.

use std::collections::HashSet;

use crate::channel_type::ChannelType;
use crate::store::{Channel, Store, StoreError};

/// Whether anybody may read the channel and write there.
pub fn is_open(channel: &Channel) -> bool {
    ChannelType::named(&channel.kind).is_some_and(|kind| kind.open)
}

/// Those of these users who may read the channel: its members and its creator, or everybody.
pub async fn readers(store: &dyn Store, channel: &Channel, ids: Vec<String>) -> Result<HashSet<String>, StoreError> {
    if is_open(channel) {
        return Ok(ids.into_iter().collect());
    }
    insiders(store, channel, ids).await
}

/// Those of these users who are members of the channel, or its creator.
pub async fn insiders(store: &dyn Store, channel: &Channel, ids: Vec<String>) -> Result<HashSet<String>, StoreError> {
    let is_creator = |id: &String| channel.created_by_id.as_ref() == Some(id);
    let (creator, others): (Vec<_>, Vec<_>) = ids.into_iter().partition(is_creator);
    let mut insiders: HashSet<_> = creator.into_iter().collect();
    if !others.is_empty() {
        insiders.extend(store.members(&channel.cid, &others).await?.into_iter().map(|member| member.user_id));
    }
    Ok(insiders)
}
