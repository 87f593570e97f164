use jiff::Timestamp;
use serde::Serialize;

use super::User;
use crate::store::{self, Custom, Invite};

/// A user's place in a channel, with the user.
#[derive(Clone, Debug, Serialize)]
pub struct Member<'a> {
    pub user_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User<'a>>,
    role: &'a str,
    channel_role: &'a str,
    status: &'static str,
    invited: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    invite_accepted_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invite_rejected_at: Option<Timestamp>,
    is_moderator: bool,
    banned: bool,
    shadow_banned: bool,
    notifications_muted: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(flatten)]
    own: Option<Own>,
    #[serde(flatten)]
    custom: &'a Custom,
}

/// What only the member may see of the membership.
#[derive(Clone, Debug, Serialize)]
struct Own {
    #[serde(skip_serializing_if = "Option::is_none")]
    archived_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_at: Option<Timestamp>,
}

impl<'a> Member<'a> {
    /// The member as others see them. `owner` says that they created the channel.
    pub fn public(member: &'a store::Member, user: Option<User<'a>>, owner: bool) -> Self {
        let is_moderator = member.channel_role == "channel_moderator";
        Self {
            user_id: &member.user_id,
            user,
            role: match (owner, is_moderator) {
                (true, _) => "owner",
                (false, true) => "moderator",
                (false, false) => "member",
            },
            channel_role: &member.channel_role,
            status: match member.invite {
                Some(invite) => invite.as_str(),
                None => "member",
            },
            invited: member.invite == Some(Invite::Pending),
            invite_accepted_at: member.invite_accepted_at,
            invite_rejected_at: member.invite_rejected_at,
            is_moderator,
            banned: member.banned,
            shadow_banned: false,
            notifications_muted: member.notifications_muted,
            created_at: member.created_at,
            updated_at: member.updated_at,
            own: None,
            custom: &member.custom,
        }
    }

    /// The member as they see themselves (`membership` in a channel's state).
    pub fn own(member: &'a store::Member, user: Option<User<'a>>, owner: bool) -> Self {
        Self {
            own: Some(Own { archived_at: member.archived_at, pinned_at: member.pinned_at }),
            ..Self::public(member, user, owner)
        }
    }
}
