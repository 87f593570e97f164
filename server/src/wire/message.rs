use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::User;
use crate::store::{self, Custom};

/// A message with its author.
#[derive(Clone, Debug, Serialize)]
pub struct Message<'a> {
    pub id: &'a str,
    cid: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
    /// Android's SDK reads no message without it; nothing is rendered here.
    html: &'static str,
    user: User<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<&'a str>,
    /// Kept among the custom fields, where an empty list is not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    attachments: Option<[Value; 0]>,
    mentioned_users: [Value; 0],
    latest_reactions: [Value; 0],
    own_reactions: [Value; 0],
    reaction_counts: Map<String, Value>,
    reaction_scores: Map<String, Value>,
    reaction_groups: Map<String, Value>,
    reply_count: u32,
    deleted_reply_count: u32,
    silent: bool,
    shadowed: bool,
    pinned: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
    #[serde(flatten)]
    custom: Option<&'a Custom>,
}

impl<'a> Message<'a> {
    /// `user` is the author. Of a deleted message only that is shown that there was one.
    pub fn new(message: &'a store::Message, user: User<'a>) -> Self {
        let deleted = message.deleted_at.is_some();
        let custom = (!deleted).then_some(&message.custom);
        let attached = custom.is_some_and(|custom| custom.contains_key("attachments"));
        Self {
            id: &message.id,
            cid: &message.cid,
            kind: match &message.parent_id {
                _ if deleted => "deleted",
                Some(_) => "reply",
                None => "regular",
            },
            text: if deleted { "" } else { &message.text },
            html: "",
            user,
            parent_id: message.parent_id.as_deref(),
            attachments: (!attached).then_some([]),
            mentioned_users: [],
            latest_reactions: [],
            own_reactions: [],
            reaction_counts: Map::new(),
            reaction_scores: Map::new(),
            reaction_groups: Map::new(),
            reply_count: 0,
            deleted_reply_count: 0,
            silent: false,
            shadowed: false,
            pinned: false,
            created_at: message.created_at,
            updated_at: message.updated_at,
            deleted_at: message.deleted_at,
            custom,
        }
    }
}
