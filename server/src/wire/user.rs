use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::store::{self, Custom};

/// A user, custom fields at the root.
#[derive(Clone, Debug, Serialize)]
pub struct User<'a> {
    pub id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    role: &'a str,
    teams: &'a [String],
    language: &'a str,
    online: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_active: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    banned: bool,
    blocked_user_ids: [&'a str; 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    deactivated_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
    #[serde(flatten)]
    own: Option<Own<'a>>,
    #[serde(flatten)]
    custom: &'a Custom,
}

/// What only the user and the server-side may see.
#[derive(Clone, Debug, Serialize)]
struct Own<'a> {
    invisible: bool,
    shadow_banned: bool,
    mutes: [Value; 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    privacy_settings: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoke_tokens_issued_before: Option<Timestamp>,
}

impl<'a> User<'a> {
    /// The user as others see them. `online` is what others are told: false while invisible.
    pub fn public(user: &'a store::User, online: bool) -> Self {
        Self {
            id: &user.id,
            name: user.name.as_deref(),
            image: user.image.as_deref(),
            role: &user.role,
            teams: &user.teams,
            language: &user.language,
            online,
            last_active: user.last_active,
            created_at: user.created_at,
            updated_at: user.updated_at,
            banned: user.banned,
            blocked_user_ids: [],
            deactivated_at: user.deactivated_at,
            deleted_at: user.deleted_at,
            own: None,
            custom: &user.custom,
        }
    }

    /// The user as they see themselves, and as a server-side caller sees them.
    pub fn own(user: &'a store::User, online: bool) -> Self {
        Self {
            own: Some(Own {
                invisible: user.invisible,
                shadow_banned: false,
                mutes: [],
                privacy_settings: user.privacy_settings.as_ref(),
                revoke_tokens_issued_before: user.revoke_tokens_issued_before,
            }),
            ..Self::public(user, online)
        }
    }
}

/// The connected user, as only the first frame of a connection shows them.
#[derive(Clone, Debug, Serialize)]
pub struct Me<'a> {
    #[serde(flatten)]
    user: User<'a>,
    devices: [Value; 0],
    channel_mutes: [Value; 0],
    unread_count: u32,
    total_unread_count: u32,
    unread_channels: u32,
    unread_threads: u32,
}

impl<'a> Me<'a> {
    /// `unread` is over all channels of the user.
    pub fn new(user: &'a store::User, unread: store::Unread) -> Self {
        Self {
            user: User::own(user, true),
            devices: [],
            channel_mutes: [],
            unread_count: unread.messages,
            total_unread_count: unread.messages,
            unread_channels: unread.channels,
            unread_threads: 0,
        }
    }
}
