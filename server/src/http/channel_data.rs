//! What callers send about channels, read into what the store keeps.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall_protocol::limits;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::error::ApiError;
use crate::store::{Change, ChannelChange, Custom, CustomChange, NewChannel, NewMember};

/// Fields the server alone writes; SDKs echo them back with the rest.
const RESERVED: &[&str] = &[
    "auto_translation_enabled",
    "auto_translation_language",
    "cid",
    "config",
    "config_overrides",
    "cooldown",
    "created_at",
    "created_by",
    "created_by_id",
    "deleted_at",
    "hidden",
    "id",
    "invites",
    "last_message_at",
    "member_count",
    "members",
    "message_count",
    "own_capabilities",
    "truncated_at",
    "type",
    "updated_at",
];

/// Fields with a column of their own, which have no parts.
const WRITABLE: &[&str] = &["disabled", "frozen", "team"];

/// `data` of a channel that may have to be created.
#[derive(Debug, Default)]
pub struct ChannelData {
    pub members: Vec<NewMember>,
    created_by_id: Option<String>,
    team: Option<String>,
    frozen: Option<bool>,
    disabled: Option<bool>,
    custom: Custom,
}

/// A member as callers write one: an id, or an object with more.
#[derive(Deserialize)]
#[serde(untagged)]
enum MemberInput {
    Id(String),
    Member {
        user_id: Option<String>,
        user: Option<UserRef>,
        channel_role: Option<String>,
        #[serde(flatten)]
        custom: Map<String, Value>,
    },
}

#[derive(Deserialize)]
struct UserRef {
    id: String,
}

impl ChannelData {
    pub fn parse(mut fields: Map<String, Value>) -> Result<Self, ApiError> {
        let mut take = |name: &str| fields.remove(name).filter(|value| !value.is_null());
        let mut members = Vec::new();
        for (name, invited) in [("members", false), ("invites", true)] {
            if let Some(list) = take(name) {
                members.extend(parse_members(name, list, invited)?);
            }
        }
        members.dedup_by(|a, b| a.user_id == b.user_id);
        let creator = take("created_by");
        let mut data = Self {
            members,
            created_by_id: match take("created_by_id") {
                Some(id) => Some(typed("created_by_id", "string", id)?),
                None => creator.and_then(|user| user.get("id")?.as_str().map(str::to_owned)),
            },
            team: take("team").map(|team| typed("team", "string", team)).transpose()?,
            frozen: take("frozen").map(|frozen| typed("frozen", "boolean", frozen)).transpose()?,
            disabled: take("disabled").map(|disabled| typed("disabled", "boolean", disabled)).transpose()?,
            custom: Custom::new(),
        };
        if let Some(Value::Object(custom)) = take("custom") {
            fields.extend(custom);
        }
        fields.retain(|key, _| !is_built_in(key));
        data.custom = fields;
        Ok(data)
    }

    /// The change that makes a channel's data this: fields that are not named keep their value,
    /// custom fields that are not named go.
    pub fn into_change(self) -> ChannelChange {
        ChannelChange {
            team: self.team.map_or(Change::Keep, Change::Set),
            frozen: self.frozen.map_or(Change::Keep, Change::Set),
            disabled: self.disabled.map_or(Change::Keep, Change::Set),
            replace_custom: true,
            custom: CustomChange::set_all(self.custom),
        }
    }

    pub fn has_member(&self, user_id: &str) -> bool {
        self.members.iter().any(|member| member.user_id == user_id)
    }

    /// The channel to create for `creator`, or for whom the data names.
    pub fn into_new(self, kind: &str, id: &str, creator: Option<&str>) -> Result<NewChannel, ApiError> {
        if is_distinct(id) && !distinct_id(kind, &self.members).is_ok_and(|own| own == id) {
            return Err(ApiError::input(format!("{id:?} is the id of a channel with other members")));
        }
        let created_by_id = creator.map(str::to_owned).or(self.created_by_id).ok_or_else(|| {
            ApiError::input(
                "either data.created_by or data.created_by_id must be provided when using server side auth.",
            )
        })?;
        Ok(NewChannel {
            kind: kind.to_owned(),
            id: id.to_owned(),
            created_by_id,
            team: self.team.unwrap_or_default(),
            frozen: self.frozen.unwrap_or_default(),
            disabled: self.disabled.unwrap_or_default(),
            custom: self.custom,
            members: self.members,
            hide_for_creator: false,
        })
    }
}

const DISTINCT: &str = "!members-";

/// The id of the one channel of this type that has exactly these members, in whatever order.
pub fn distinct_id(kind: &str, members: &[NewMember]) -> Result<String, ApiError> {
    if members.is_empty() {
        return Err(ApiError::input("a channel needs an id, or data.members to be found by"));
    }
    let mut ids: Vec<&str> = members.iter().map(|member| &*member.user_id).collect();
    ids.sort_unstable();
    ids.dedup();
    // Neither a type nor a user's id can hold the separators.
    let digest = Sha256::digest(format!("{kind}:{}", ids.join(",")));
    Ok(format!("{DISTINCT}{}", URL_SAFE_NO_PAD.encode(digest)))
}

/// Whether the channel with this id is found by its members.
pub fn is_distinct(id: &str) -> bool {
    id.starts_with(DISTINCT)
}

/// Whether this names a field of a member that is not a custom one, or a part of it.
pub fn is_member_field(path: &str) -> bool {
    MEMBER_RESERVED.contains(&root(path))
}

/// Whether this names a field of a channel that is not a custom one, or a part of it.
pub fn is_channel_field(path: &str) -> bool {
    is_built_in(root(path))
}

fn is_built_in(key: &str) -> bool {
    RESERVED.contains(&key) || WRITABLE.contains(&key)
}

fn root(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

/// Reads a list of members; `field` names it in errors.
pub fn parse_members(field: &str, list: Value, invited: bool) -> Result<Vec<NewMember>, ApiError> {
    let wrong = || ApiError::input(format!("field {field:?} expects an array of user ids or members"));
    let inputs: Vec<MemberInput> = serde_json::from_value(list).map_err(|_| wrong())?;
    if inputs.len() > limits::MEMBERS_PER_CHANNEL_QUERY {
        let limit = limits::MEMBERS_PER_CHANNEL_QUERY;
        return Err(ApiError::input(format!("field {field:?} holds more than {limit} members")));
    }
    let mut members = Vec::with_capacity(inputs.len());
    for input in inputs {
        let member = match input {
            MemberInput::Id(id) => NewMember::new(id),
            MemberInput::Member { user_id, user, channel_role, mut custom } => {
                custom.retain(|key, _| !is_member_field(key));
                let member = NewMember::new(user_id.or(user.map(|user| user.id)).ok_or_else(wrong)?);
                NewMember { channel_role: channel_role.unwrap_or(member.channel_role), custom, ..member }
            }
        };
        members.push(NewMember { invited, ..member });
    }
    Ok(members)
}

/// Fields of a member that the server alone writes, and those that say who it is.
const MEMBER_RESERVED: &[&str] = &[
    "archived_at",
    "banned",
    "channel_role",
    "created_at",
    "deleted_at",
    "hidden",
    "invite_accepted_at",
    "invite_rejected_at",
    "invited",
    "invited_at",
    "is_moderator",
    "notifications_muted",
    "pinned_at",
    "role",
    "shadow_banned",
    "status",
    "updated_at",
    "user",
    "user_id",
];

fn typed<T: for<'de> Deserialize<'de>>(field: &str, expected: &str, value: Value) -> Result<T, ApiError> {
    serde_json::from_value(value).map_err(|_| ApiError::input(format!("field {field:?} expects type {expected}")))
}
