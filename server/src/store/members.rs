use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Change, Custom, CustomChange, Limits, Result, Written, change};
use crate::query::MemberQuery;

const DEFAULT_ROLE: &str = "channel_member";

/// A user's place in a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub cid: String,
    pub user_id: String,
    /// Such as `channel_member` or `channel_moderator`.
    pub channel_role: String,
    pub invite: Option<Invite>,
    pub invited_at: Option<Timestamp>,
    pub invite_accepted_at: Option<Timestamp>,
    pub invite_rejected_at: Option<Timestamp>,
    pub banned: bool,
    pub notifications_muted: bool,
    /// Own-only: the user does not want to see the channel.
    pub hidden: bool,
    /// Own-only: the user does not see messages of before.
    pub hide_messages_before: Option<Timestamp>,
    pub archived_at: Option<Timestamp>,
    pub pinned_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub custom: Custom,
}

impl Member {
    /// Whether others see no difference between the two.
    pub fn looks_like(&self, other: &Member) -> bool {
        let public = |member: &Member| Member {
            hidden: false,
            hide_messages_before: None,
            archived_at: None,
            pinned_at: None,
            updated_at: self.updated_at,
            ..member.clone()
        };
        public(self) == public(other)
    }
}

/// How far an invitation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invite {
    Pending,
    Accepted,
    Rejected,
}

impl Invite {
    /// The word for it on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Invite::Pending => "pending",
            Invite::Accepted => "accepted",
            Invite::Rejected => "rejected",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Invite::Pending, Invite::Accepted, Invite::Rejected].into_iter().find(|invite| invite.as_str() == name)
    }
}

/// A user to be added to a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMember {
    pub user_id: String,
    pub channel_role: String,
    /// Invited, rather than simply added.
    pub invited: bool,
    /// The member does not see what was written before.
    pub hide_history: bool,
    pub custom: Custom,
}

impl NewMember {
    /// An ordinary member.
    pub fn new(user_id: impl Into<String>) -> Self {
        Self {
            user_id: user_id.into(),
            channel_role: DEFAULT_ROLE.to_owned(),
            invited: false,
            hide_history: false,
            custom: Custom::new(),
        }
    }

    /// Whether the role is the one of whoever is given no other.
    pub fn has_default_role(&self) -> bool {
        self.channel_role == DEFAULT_ROLE
    }

    pub(super) fn build(&self, cid: &str, now: Timestamp, limits: &Limits) -> Result<Member> {
        let mut member = Member {
            cid: cid.to_owned(),
            user_id: self.user_id.clone(),
            channel_role: self.channel_role.clone(),
            invite: self.invited.then_some(Invite::Pending),
            invited_at: self.invited.then_some(now),
            invite_accepted_at: None,
            invite_rejected_at: None,
            banned: false,
            notifications_muted: false,
            hidden: false,
            hide_messages_before: self.hide_history.then_some(now),
            archived_at: None,
            pinned_at: None,
            created_at: now,
            updated_at: now,
            custom: Custom::new(),
        };
        let custom = CustomChange::set_all(self.custom.clone());
        CustomChange::apply_all(&custom, &mut member.custom, limits.custom_data_bytes, &self.user_id)?;
        change::check_texts([&self.channel_role], &self.user_id)?;
        Ok(member)
    }
}

/// What to change of one member. The default keeps everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemberChange {
    /// Cleared: back to `channel_member`.
    pub channel_role: Change<String>,
    /// Answers an invitation. The time is taken from the write.
    pub invite: Option<Invite>,
    /// Cleared: not muted.
    pub notifications_muted: Change<bool>,
    /// Cleared: not archived. The time is taken from the write.
    pub archived: Change<bool>,
    /// Cleared: not pinned. The time is taken from the write.
    pub pinned: Change<bool>,
    /// Applied in order.
    pub custom: Vec<CustomChange>,
}

impl MemberChange {
    pub(super) fn apply(&self, member: &mut Member, now: Timestamp, limits: &Limits) -> Result<()> {
        let role = || DEFAULT_ROLE.to_owned();
        self.channel_role.apply_or(&mut member.channel_role, role);
        self.notifications_muted.apply_or(&mut member.notifications_muted, || false);
        for (wanted, time) in [(&self.archived, &mut member.archived_at), (&self.pinned, &mut member.pinned_at)] {
            match wanted {
                Change::Keep => {}
                Change::Set(true) => *time = time.or(Some(now)),
                Change::Set(false) | Change::Clear => *time = None,
            }
        }
        if let Some(invite) = self.invite.filter(|invite| member.invite != Some(*invite)) {
            member.invite = Some(invite);
            match invite {
                Invite::Pending => member.invited_at = Some(now),
                Invite::Accepted => member.invite_accepted_at = Some(now),
                Invite::Rejected => member.invite_rejected_at = Some(now),
            }
        }
        CustomChange::apply_all(&self.custom, &mut member.custom, limits.custom_data_bytes, &member.user_id)?;
        change::check_texts([&member.channel_role], &member.user_id)
    }
}

/// How far a member has read a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    pub cid: String,
    pub user_id: String,
    /// The time of the membership, when nothing was marked as read yet.
    pub last_read: Timestamp,
    pub last_read_message_id: Option<String>,
    /// Messages of others since.
    pub unread_messages: u32,
}

/// What a user has not read, over all their channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    pub messages: u32,
    /// Channels with at least one of them.
    pub channels: u32,
}

/// Who belongs to which channel, and how far they have read it.
#[async_trait]
pub trait MemberStore: Send + Sync {
    /// The first members of each channel, skipping `offset`, at most `limit` a channel, in the
    /// order in which they joined. One query, however many channels.
    async fn members_of(&self, cids: &[String], limit: u32, offset: u32) -> Result<Vec<Member>>;

    /// Those of `user_ids` who are members of the channel. In no particular order.
    async fn members(&self, cid: &str, user_ids: &[String]) -> Result<Vec<Member>>;

    /// The user's memberships in these channels. In no particular order.
    async fn memberships(&self, user_id: &str, cids: &[String]) -> Result<Vec<Member>>;

    /// The ids of all members of the channel.
    async fn member_ids(&self, cid: &str) -> Result<Vec<String>>;

    /// The page of members that `query` asks for.
    async fn query_members(&self, query: &MemberQuery) -> Result<Vec<Member>>;

    /// Adds members; those who are members already stay as they are. Answers with the new ones.
    async fn add_members(&self, cid: &str, members: &[NewMember], now: Timestamp) -> Result<Vec<Member>>;

    /// Removes members; those who are none are passed over. Answers with the removed ones.
    async fn remove_members(&self, cid: &str, user_ids: &[String]) -> Result<Vec<Member>>;

    /// Changes several members of a channel; one who is no member is an error. All or none.
    async fn update_members(
        &self,
        cid: &str,
        changes: &[(String, MemberChange)],
        now: Timestamp,
    ) -> Result<Vec<Written<Member>>>;

    /// How far the first members of each channel have read it, at most `limit` a channel, in the
    /// order of [`members_of`](Self::members_of). One query, however many channels.
    async fn reads(&self, cids: &[String], limit: u32) -> Result<Vec<Read>>;

    /// How far the user has read each of these channels. In no particular order.
    async fn reads_by(&self, user_id: &str, cids: &[String]) -> Result<Vec<Read>>;

    /// Marks the channel as read by its member, up to and including the message, or all of it.
    async fn mark_read(&self, cid: &str, user_id: &str, message_id: Option<&str>, now: Timestamp) -> Result<Read>;

    /// Marks every channel of the user as read. Answers with the channels where that made a
    /// difference.
    async fn mark_all_read(&self, user_id: &str, now: Timestamp) -> Result<Vec<Read>>;

    /// What each of these users has not read. One query, however many users.
    async fn unread_of(&self, user_ids: &[String]) -> Result<HashMap<String, Unread>>;

    /// What the user has not read.
    async fn unread(&self, user_id: &str) -> Result<Unread> {
        let mut unread = self.unread_of(&[user_id.to_owned()]).await?;
        Ok(unread.remove(user_id).unwrap_or_default())
    }
}
