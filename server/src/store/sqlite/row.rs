//! Rows of the database as records.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::query::words;
use crate::store::{Channel, Custom, Invite, Member, Message, Read, Result, StoreError, Task, TaskStatus, User};

pub(super) fn user(row: &SqliteRow) -> Result<User> {
    Ok(User {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        image: row.try_get("image")?,
        role: row.try_get("role")?,
        teams: json(row, "teams")?,
        language: row.try_get("language")?,
        invisible: row.try_get("invisible")?,
        banned: row.try_get("banned")?,
        privacy_settings: match row.try_get::<Option<&str>, _>("privacy_settings")? {
            Some(text) => Some(serde_json::from_str(text).map_err(StoreError::database)?),
            None => None,
        },
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        last_active: optional_time(row, "last_active")?,
        deactivated_at: optional_time(row, "deactivated_at")?,
        deleted_at: optional_time(row, "deleted_at")?,
        revoke_tokens_issued_before: optional_time(row, "revoke_tokens_issued_before")?,
        custom: json(row, "custom")?,
    })
}

pub(super) fn channel(row: &SqliteRow) -> Result<Channel> {
    Ok(Channel {
        cid: row.try_get("cid")?,
        kind: row.try_get("type")?,
        id: row.try_get("id")?,
        team: row.try_get("team")?,
        created_by_id: row.try_get("created_by_id")?,
        frozen: row.try_get("frozen")?,
        disabled: row.try_get("disabled")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        last_message_at: optional_time(row, "last_message_at")?,
        deleted_at: optional_time(row, "deleted_at")?,
        member_count: row.try_get("member_count")?,
        message_count: row.try_get("message_count")?,
        custom: json(row, "custom")?,
    })
}

pub(super) fn member(row: &SqliteRow) -> Result<Member> {
    let invite: Option<&str> = row.try_get("invite")?;
    Ok(Member {
        cid: row.try_get("cid")?,
        user_id: row.try_get("user_id")?,
        channel_role: row.try_get("channel_role")?,
        invite: invite.and_then(Invite::from_name),
        invited_at: optional_time(row, "invited_at")?,
        invite_accepted_at: optional_time(row, "invite_accepted_at")?,
        invite_rejected_at: optional_time(row, "invite_rejected_at")?,
        banned: row.try_get("banned")?,
        notifications_muted: row.try_get("notifications_muted")?,
        hidden: row.try_get("hidden")?,
        hide_messages_before: optional_time(row, "hide_messages_before")?,
        archived_at: optional_time(row, "archived_at")?,
        pinned_at: optional_time(row, "pinned_at")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        custom: json(row, "custom")?,
    })
}

pub(super) fn read(row: &SqliteRow) -> Result<Read> {
    Ok(Read {
        cid: row.try_get("cid")?,
        user_id: row.try_get("user_id")?,
        last_read: time(row, "last_read")?,
        last_read_message_id: row.try_get("last_read_message_id")?,
        unread_messages: row.try_get("unread")?,
    })
}

pub(super) fn message(row: &SqliteRow) -> Result<Message> {
    Ok(Message {
        id: row.try_get("id")?,
        cid: row.try_get("cid")?,
        user_id: row.try_get("user_id")?,
        text: row.try_get("text")?,
        parent_id: row.try_get("parent_id")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        deleted_at: optional_time(row, "deleted_at")?,
        custom: json(row, "custom")?,
    })
}

pub(super) fn task(row: &SqliteRow) -> Result<Task> {
    let status: &str = row.try_get("status")?;
    Ok(Task {
        id: row.try_get("id")?,
        status: TaskStatus::from_name(status)
            .ok_or_else(|| StoreError::database(format!("unknown status {status:?}")))?,
        result: json(row, "result")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

/// Every row as a record, or the first error.
pub(super) fn all<T>(rows: &[SqliteRow], record: fn(&SqliteRow) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().map(record).collect()
}

fn time(row: &SqliteRow, column: &str) -> Result<Timestamp> {
    from_micros(row.try_get(column)?)
}

pub(super) fn optional_time(row: &SqliteRow, column: &str) -> Result<Option<Timestamp>> {
    let micros: Option<i64> = row.try_get(column)?;
    micros.map(from_micros).transpose()
}

fn from_micros(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(StoreError::database)
}

fn json<T: DeserializeOwned>(row: &SqliteRow, column: &str) -> Result<T> {
    serde_json::from_str(row.try_get(column)?).map_err(StoreError::database)
}

/// The microseconds of a time that may be absent.
pub(super) fn micros(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_microsecond)
}

/// A JSON object as the text that is stored.
pub(super) fn object(fields: &Custom) -> Result<String> {
    serde_json::to_string(fields).map_err(StoreError::database)
}

/// What is kept for searching: every text in `custom` where it stands there, and `builtin` ones.
pub(super) fn searchable(custom: &Custom, builtin: &[(&str, Option<&str>)]) -> Result<String> {
    let mut texts = texts_of(custom);
    for (name, text) in builtin {
        if let Some(text) = text {
            texts.insert((*name).to_owned(), Value::String(words(text)));
        }
    }
    object(&texts)
}

fn texts_of(fields: &Custom) -> Custom {
    let mut texts = Map::new();
    for (key, value) in fields {
        let value = match value {
            Value::String(text) => Value::String(words(text)),
            Value::Object(inner) => Value::Object(texts_of(inner)),
            _ => continue,
        };
        texts.insert(key.clone(), value);
    }
    texts
}
