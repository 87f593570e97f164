use async_trait::async_trait;
use jiff::Timestamp;

use super::{Change, Custom, CustomChange, Limits, Member, NewMember, Result, Written, change};
use crate::query::ChannelQuery;

/// A channel as stored. `name` and `image` are ordinary custom fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// `type:id`
    pub cid: String,
    /// The channel's type, such as `messaging`.
    pub kind: String,
    pub id: String,
    /// Empty when the channel belongs to no team.
    pub team: String,
    /// Absent when that user was erased.
    pub created_by_id: Option<String>,
    pub frozen: bool,
    pub disabled: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_message_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    pub member_count: u32,
    pub message_count: u32,
    pub custom: Custom,
}

/// A channel that may have to be created.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewChannel {
    pub kind: String,
    pub id: String,
    pub created_by_id: String,
    pub team: String,
    pub frozen: bool,
    pub disabled: bool,
    pub custom: Custom,
    pub members: Vec<NewMember>,
    /// The creator does not find the channel among theirs until somebody writes.
    pub hide_for_creator: bool,
}

impl NewChannel {
    pub fn cid(&self) -> String {
        format!("{}:{}", self.kind, self.id)
    }

    pub(super) fn build(&self, now: Timestamp, limits: &Limits) -> Result<Channel> {
        let mut channel = Channel {
            cid: self.cid(),
            kind: self.kind.clone(),
            id: self.id.clone(),
            team: self.team.clone(),
            created_by_id: Some(self.created_by_id.clone()),
            frozen: self.frozen,
            disabled: self.disabled,
            created_at: now,
            updated_at: now,
            last_message_at: None,
            deleted_at: None,
            member_count: 0,
            message_count: 0,
            custom: Custom::new(),
        };
        let custom = CustomChange::set_all(self.custom.clone());
        CustomChange::apply_all(&custom, &mut channel.custom, limits.custom_data_bytes, &channel.cid)?;
        change::check_texts([&channel.cid, &channel.team], &channel.cid)?;
        Ok(channel)
    }
}

/// A channel that was asked for, and whether asking made it.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    pub channel: Channel,
    pub created: bool,
}

/// What to change of one channel. The default keeps everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelChange {
    /// Cleared: no team.
    pub team: Change<String>,
    /// Cleared: not frozen.
    pub frozen: Change<bool>,
    /// Cleared: not disabled.
    pub disabled: Change<bool>,
    /// Removes every custom field that `custom` does not set.
    pub replace_custom: bool,
    /// Applied in order.
    pub custom: Vec<CustomChange>,
}

impl ChannelChange {
    pub(super) fn apply(&self, channel: &mut Channel, limits: &Limits) -> Result<()> {
        self.team.apply_or(&mut channel.team, String::new);
        self.frozen.apply_or(&mut channel.frozen, || false);
        self.disabled.apply_or(&mut channel.disabled, || false);
        if self.replace_custom {
            channel.custom = Custom::new();
        }
        CustomChange::apply_all(&self.custom, &mut channel.custom, limits.custom_data_bytes, &channel.cid)?;
        change::check_texts([&channel.team], &channel.cid)
    }
}

/// Channels, without what is in them.
#[async_trait]
pub trait ChannelStore: Send + Sync {
    /// The channel with this type and id, created with its members when it is not there. Of
    /// several callers at once exactly one creates it; on a channel that exists `new` changes
    /// nothing. A channel that was deleted is created anew, empty.
    ///
    /// A creator or member who is no user is an error ([`NotFound`](super::StoreError::NotFound)
    /// of `"user"`).
    async fn get_or_create_channel(&self, new: &NewChannel, now: Timestamp) -> Result<Opened>;

    /// The channels with these cids that exist and are not deleted. In no particular order.
    async fn channels(&self, cids: &[String]) -> Result<Vec<Channel>>;

    /// The channel with this cid, unless it was deleted.
    async fn channel(&self, cid: &str) -> Result<Option<Channel>> {
        Ok(self.channels(&[cid.to_owned()]).await?.pop())
    }

    /// The page of channels that `query` asks for.
    async fn query_channels(&self, query: &ChannelQuery) -> Result<Vec<Channel>>;

    /// The cids of all channels the user is a member of.
    async fn channels_of(&self, user_id: &str) -> Result<Vec<String>>;

    /// Changes a channel.
    async fn update_channel(&self, cid: &str, change: &ChannelChange, now: Timestamp) -> Result<Written<Channel>>;

    /// Marks channels as deleted. Answers with them, `deleted_at` set; one that does not exist is
    /// an error.
    async fn delete_channels(&self, cids: &[String], now: Timestamp) -> Result<Vec<Channel>>;

    /// Removes channels for good, with members and messages. Answers with what they were.
    async fn erase_channels(&self, cids: &[String]) -> Result<Vec<Channel>>;

    /// Hides the channel from its member's queries until somebody writes; with `clear_history`
    /// what was written before stays hidden after that.
    async fn hide_channel(&self, cid: &str, user_id: &str, clear_history: bool, now: Timestamp) -> Result<Member>;

    /// Undoes [`hide_channel`](Self::hide_channel), except for cleared history.
    async fn show_channel(&self, cid: &str, user_id: &str, now: Timestamp) -> Result<Member>;
}
