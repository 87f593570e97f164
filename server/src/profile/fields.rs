//! What callers send about users, read into changes of their profiles: the same rules for a
//! request's body and for the `user_details` of a connection.

use rollcall_protocol::limits;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::query::Path;
use crate::store::{Change, CustomChange, UserChange};

/// Fields with a column of their own.
const BUILT_IN: &[&str] = &["name", "image", "language", "role", "teams", "invisible", "privacy_settings"];

/// Fields the server alone writes. SDKs echo whole users back, so they are passed over silently.
const RESERVED: &[&str] = &[
    "avg_response_time",
    "ban_expires",
    "banned",
    "blocked_user_ids",
    "channel_mutes",
    "created_at",
    "deactivated_at",
    "deleted_at",
    "devices",
    "id",
    "last_active",
    "latest_hidden_channels",
    "mutes",
    "online",
    "push_preferences",
    "revoke_tokens_issued_before",
    "roles",
    "shadow_banned",
    "teams_role",
    "total_unread_count",
    "total_unread_count_by_team",
    "unread_channels",
    "unread_count",
    "unread_threads",
    "updated_at",
];

/// Reads a whole user: fields present are set, absent ones kept, `null` clears.
///
/// Custom fields may stand at the root or under `custom`. `role` and `teams` are read like any
/// other field: whether this caller may change them is for the caller of this function to check.
pub fn from_user(fields: Map<String, Value>) -> Result<UserChange, ApiError> {
    let mut change = UserChange::of(user_id(fields.get("id"))?);
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("custom", Value::Object(custom)) => {
                // A built-in name in here is a mistake that would hide the real field.
                let custom = custom.into_iter().filter(|(key, _)| !BUILT_IN.contains(&key.as_str()));
                custom.for_each(|(key, value)| set_custom(&mut change, Path::field(key), value));
            }
            (_, Value::Null) => unset(&mut change, Path::field(key))?,
            (_, value) => set(&mut change, Path::field(key), value)?,
        }
    }
    Ok(change)
}

/// Reads a partial update: `set` and `unset` name fields, with dots into nested custom data.
pub fn from_partial(id: &str, fields: Map<String, Value>, removed: &[String]) -> Result<UserChange, ApiError> {
    let mut change = UserChange::of(checked_id(id)?);
    for (key, value) in fields {
        set(&mut change, path(&key)?, value)?;
    }
    for key in removed {
        unset(&mut change, path(key)?)?;
    }
    Ok(change)
}

fn user_id(id: Option<&Value>) -> Result<&str, ApiError> {
    match id {
        Some(Value::String(id)) => checked_id(id),
        Some(_) => Err(wrong_type("id", "string")),
        None => Err(ApiError::input("a user needs an \"id\"")),
    }
}

/// The id, if it can be a user's.
pub fn checked_id(id: &str) -> Result<&str, ApiError> {
    match limits::is_user_id(id) {
        true => Ok(id),
        false => Err(ApiError::input(format!(
            "{id:?} is not a user id: up to {} of a-z, A-Z, 0-9, @, _ and -",
            limits::USER_ID_LENGTH
        ))),
    }
}

fn path(text: &str) -> Result<Path, ApiError> {
    let path = Path::dotted(text).ok_or_else(|| ApiError::input(format!("{text:?} is not the name of a field")))?;
    match path.parents().first() {
        Some(root) if BUILT_IN.contains(&root.as_str()) => {
            Err(ApiError::input(format!("field {root:?} has no parts that can be changed alone")))
        }
        _ => Ok(path),
    }
}

fn set(change: &mut UserChange, path: Path, value: Value) -> Result<(), ApiError> {
    match built_in(&path) {
        Some("name") => change.name = Change::Set(text("name", value)?),
        Some("image") => change.image = Change::Set(text("image", value)?),
        Some("language") => change.language = Change::Set(text("language", value)?),
        Some("role") => change.role = Change::Set(text("role", value)?),
        Some("teams") => change.teams = Change::Set(texts("teams", value)?),
        Some("invisible") => match value {
            Value::Bool(invisible) => change.invisible = Change::Set(invisible),
            _ => return Err(wrong_type("invisible", "boolean")),
        },
        Some("privacy_settings") => match value {
            Value::Object(_) => change.privacy_settings = Change::Set(value),
            _ => return Err(wrong_type("privacy_settings", "object")),
        },
        _ => set_custom(change, path, value),
    }
    Ok(())
}

fn unset(change: &mut UserChange, path: Path) -> Result<(), ApiError> {
    match built_in(&path) {
        Some("name") => change.name = Change::Clear,
        Some("image") => change.image = Change::Clear,
        Some("language") => change.language = Change::Clear,
        Some("role") => change.role = Change::Clear,
        Some("teams") => change.teams = Change::Clear,
        Some("invisible") => change.invisible = Change::Clear,
        Some("privacy_settings") => change.privacy_settings = Change::Clear,
        _ if is_reserved(&path) => {}
        _ => change.custom.push(CustomChange::Unset(path)),
    }
    Ok(())
}

fn set_custom(change: &mut UserChange, path: Path, value: Value) {
    if !is_reserved(&path) {
        change.custom.push(CustomChange::Set(path, value));
    }
}

fn built_in(path: &Path) -> Option<&str> {
    (path.parents().is_empty() && BUILT_IN.contains(&path.last())).then(|| path.last())
}

fn is_reserved(path: &Path) -> bool {
    path.parts().next().is_some_and(|root| RESERVED.contains(&root))
}

fn text(field: &str, value: Value) -> Result<String, ApiError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(wrong_type(field, "string")),
    }
}

fn texts(field: &str, value: Value) -> Result<Vec<String>, ApiError> {
    serde_json::from_value(value).map_err(|_| wrong_type(field, "array of strings"))
}

fn wrong_type(field: &str, expected: &str) -> ApiError {
    ApiError::input(format!("field {field:?} expects type {expected}"))
}
