//! What the databases have in common: the columns of a record, and what is written into them.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Channel, Custom, Flip, Invite, Member, Message, Read, Result, StoreError, Task, TaskStatus, User};
use crate::query::words;

/// A row that a database answered with.
pub(super) trait Columns: Sized {
    fn text(&self, column: &str) -> Result<String>;
    fn optional_text(&self, column: &str) -> Result<Option<String>>;
    fn texts(&self, column: &str) -> Result<Vec<String>>;
    fn flag(&self, column: &str) -> Result<bool>;
    fn count(&self, column: &str) -> Result<u32>;
    /// Microseconds since 1970.
    fn optional_micros(&self, column: &str) -> Result<Option<i64>>;
    fn optional_json<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>>;

    fn optional_time(&self, column: &str) -> Result<Option<Timestamp>> {
        let micros = self.optional_micros(column)?;
        micros.map(|micros| Timestamp::from_microsecond(micros).map_err(StoreError::database)).transpose()
    }

    fn time(&self, column: &str) -> Result<Timestamp> {
        self.optional_time(column)?.ok_or_else(|| missing(column))
    }

    fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        self.optional_json(column)?.ok_or_else(|| missing(column))
    }
}

fn missing(column: &str) -> StoreError {
    StoreError::database(format!("nothing in column {column:?}"))
}

pub(super) fn user(row: &impl Columns) -> Result<User> {
    Ok(User {
        id: row.text("id")?,
        name: row.optional_text("name")?,
        image: row.optional_text("image")?,
        role: row.text("role")?,
        teams: row.texts("teams")?,
        language: row.text("language")?,
        invisible: row.flag("invisible")?,
        banned: row.flag("banned")?,
        privacy_settings: row.optional_json("privacy_settings")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        last_active: row.optional_time("last_active")?,
        deactivated_at: row.optional_time("deactivated_at")?,
        deleted_at: row.optional_time("deleted_at")?,
        revoke_tokens_issued_before: row.optional_time("revoke_tokens_issued_before")?,
        custom: row.json("custom")?,
    })
}

/// The user, if there is one, and before when nobody's tokens may have been issued.
pub(super) fn bearer(row: &impl Columns) -> Result<(Option<User>, Option<Timestamp>)> {
    let user = row.optional_text("id")?.map(|_| user(row)).transpose()?;
    Ok((user, row.optional_time("tokens_revoked_before")?))
}

pub(super) fn channel(row: &impl Columns) -> Result<Channel> {
    Ok(Channel {
        cid: row.text("cid")?,
        kind: row.text("type")?,
        id: row.text("id")?,
        team: row.text("team")?,
        created_by_id: row.optional_text("created_by_id")?,
        frozen: row.flag("frozen")?,
        disabled: row.flag("disabled")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        last_message_at: row.optional_time("last_message_at")?,
        deleted_at: row.optional_time("deleted_at")?,
        member_count: row.count("member_count")?,
        message_count: row.count("message_count")?,
        custom: row.json("custom")?,
    })
}

pub(super) fn member(row: &impl Columns) -> Result<Member> {
    Ok(Member {
        cid: row.text("cid")?,
        user_id: row.text("user_id")?,
        channel_role: row.text("channel_role")?,
        invite: row.optional_text("invite")?.as_deref().and_then(Invite::from_name),
        invited_at: row.optional_time("invited_at")?,
        invite_accepted_at: row.optional_time("invite_accepted_at")?,
        invite_rejected_at: row.optional_time("invite_rejected_at")?,
        banned: row.flag("banned")?,
        notifications_muted: row.flag("notifications_muted")?,
        hidden: row.flag("hidden")?,
        hide_messages_before: row.optional_time("hide_messages_before")?,
        archived_at: row.optional_time("archived_at")?,
        pinned_at: row.optional_time("pinned_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        custom: row.json("custom")?,
    })
}

pub(super) fn read(row: &impl Columns) -> Result<Read> {
    Ok(Read {
        cid: row.text("cid")?,
        user_id: row.text("user_id")?,
        last_read: row.time("last_read")?,
        last_read_message_id: row.optional_text("last_read_message_id")?,
        unread_messages: row.count("unread")?,
    })
}

pub(super) fn message(row: &impl Columns) -> Result<Message> {
    Ok(Message {
        id: row.text("id")?,
        cid: row.text("cid")?,
        user_id: row.text("user_id")?,
        text: row.text("text")?,
        parent_id: row.optional_text("parent_id")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        deleted_at: row.optional_time("deleted_at")?,
        custom: row.json("custom")?,
    })
}

pub(super) fn flip(row: &impl Columns) -> Result<Flip> {
    Ok(Flip {
        id: row.text("id")?,
        user: row.text("user_id")?,
        online: row.flag("online")?,
        at: row.time("flipped_at")?,
        claimed_at: row.time("claimed_at")?,
    })
}

pub(super) fn task(row: &impl Columns) -> Result<Task> {
    let status = row.text("status")?;
    Ok(Task {
        id: row.text("id")?,
        status: TaskStatus::from_name(&status)
            .ok_or_else(|| StoreError::database(format!("unknown status {status:?}")))?,
        result: row.json("result")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// Every row as a record, or the first error.
pub(super) fn all<R, T>(rows: &[R], record: fn(&R) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().map(record).collect()
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
