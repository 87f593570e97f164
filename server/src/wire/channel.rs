use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Member, Message, User};
use crate::{
    channel_type::{ChannelType, Config, Standing},
    store::{self, Custom},
};

/// A channel, custom fields at the root, without what is in it.
#[derive(Clone, Debug, Serialize)]
pub struct Channel<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    cid: &'a str,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_message_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<User<'a>>,
    frozen: bool,
    disabled: bool,
    /// How the one who asks has set it; absent in events, which go to many.
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<bool>,
    member_count: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    team: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<&'static Config>,
    #[serde(skip_serializing_if = "Option::is_none")]
    own_capabilities: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<Member<'a>>>,
    #[serde(flatten)]
    custom: &'a Custom,
}

impl<'a> Channel<'a> {
    /// The channel as an event shows it.
    pub fn new(channel: &'a store::Channel, created_by: Option<User<'a>>) -> Self {
        Self {
            id: &channel.id,
            kind: &channel.kind,
            cid: &channel.cid,
            created_at: channel.created_at,
            updated_at: channel.updated_at,
            last_message_at: channel.last_message_at,
            deleted_at: channel.deleted_at,
            created_by,
            frozen: channel.frozen,
            disabled: channel.disabled,
            hidden: None,
            member_count: channel.member_count,
            team: &channel.team,
            config: ChannelType::named(&channel.kind).map(|kind| &kind.config),
            own_capabilities: None,
            members: None,
            custom: &channel.custom,
        }
    }

    /// The channel as a reply shows it to a caller, who has set it `hidden` or not.
    pub fn for_caller(self, hidden: bool, standing: Standing) -> Self {
        let own_capabilities = self.config.map(|config| config.capabilities(standing));
        Self { hidden: Some(hidden), own_capabilities, ..self }
    }

    /// The channel with its members, as `channel.updated` shows it.
    pub fn with_members(self, members: Vec<Member<'a>>) -> Self {
        Self { members: Some(members), ..self }
    }
}

/// A channel and what is in it.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelState<'a> {
    pub channel: Channel<'a>,
    pub members: Vec<Member<'a>>,
    /// The membership of the one who asks.
    pub membership: Option<Member<'a>>,
    pub messages: Vec<Message<'a>>,
    pub pinned_messages: [Value; 0],
    pub pending_messages: [Value; 0],
    pub threads: [Value; 0],
    pub read: Vec<ReadState<'a>>,
    /// Distinct visible users who watch the channel.
    pub watcher_count: usize,
    /// Only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watchers: Option<Vec<User<'a>>>,
    /// Extension: members whose presence is not subscribed to, because of the limit.
    #[serde(skip_serializing_if = "is_zero")]
    pub presence_omitted: usize,
    /// Extension: the connection that asked to watch the channel does not, because of the limit.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub watch_omitted: bool,
}

/// How far a member has read.
#[derive(Clone, Debug, Serialize)]
pub struct ReadState<'a> {
    user: User<'a>,
    last_read: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_read_message_id: Option<&'a str>,
    unread_messages: u32,
}

impl<'a> ReadState<'a> {
    pub fn new(read: &'a store::Read, user: User<'a>) -> Self {
        Self {
            user,
            last_read: read.last_read,
            last_read_message_id: read.last_read_message_id.as_deref(),
            unread_messages: read.unread_messages,
        }
    }
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}
