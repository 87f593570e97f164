use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{Sqlite, SqliteConnection};

use super::{SqliteStore, channels, json_list, users};
use crate::store::row;
use crate::store::sql::Sql;
use crate::store::{Message, MessageChange, MessagePage, MessageStore, NewMessage, Result, StoreError, Written};

#[async_trait]
impl MessageStore for SqliteStore {
    async fn insert_message(&self, new: &NewMessage, now: Timestamp) -> Result<Message> {
        let message = new.build(now, &self.limits)?;
        let mut tx = self.begin().await?;
        channels::existing(&mut tx, &message.cid).await?;
        users::require(&mut tx, std::slice::from_ref(&message.user_id)).await?;
        if find(&mut tx, &message.id).await?.is_some() {
            let (what, id) = ("message", message.id);
            return Err(StoreError::AlreadyExists { what, id });
        }
        if let Some(parent) = &message.parent_id {
            let found = find(&mut tx, parent).await?;
            let found = found.filter(|parent| parent.cid == message.cid);
            found.ok_or_else(|| StoreError::not_found("message", parent))?;
        }
        insert(&mut tx, &message).await?;
        let (cid, time) = (&message.cid, now.as_microsecond());
        let sql = "UPDATE channels SET message_count = message_count + 1,
                last_message_at = max(coalesce(last_message_at, ?2), ?2)
            WHERE cid = ?1";
        sqlx::query(sql).bind(cid).bind(time).execute(&mut *tx).await?;
        let sql = "UPDATE members SET hidden = 0 WHERE cid = ? AND hidden = 1";
        sqlx::query(sql).bind(cid).execute(&mut *tx).await?;
        if message.parent_id.is_none() {
            let sql = "UPDATE members SET last_read = ?3, last_read_message_id = ?4
                WHERE cid = ?1 AND user_id = ?2 AND last_read <= ?3";
            let query = sqlx::query(sql).bind(cid).bind(&message.user_id);
            query.bind(time).bind(&message.id).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(message)
    }

    async fn message(&self, id: &str) -> Result<Option<Message>> {
        let query = sqlx::query("SELECT * FROM messages WHERE id = ?").bind(id);
        let row = self.lookups.first(query).await?;
        row.as_ref().map(row::message).transpose()
    }

    async fn latest_messages(&self, cids: &[String], limit: u32) -> Result<Vec<Message>> {
        let sql = "SELECT messages.* FROM json_each(?) AS wanted CROSS JOIN messages
            ON messages.rowid IN (
                SELECT rowid FROM messages AS page
                WHERE page.cid = wanted.value AND page.parent_id IS NULL
                ORDER BY page.created_at DESC, page.id DESC LIMIT ?)
            ORDER BY wanted.key, messages.created_at, messages.id";
        let query = sqlx::query(sql).bind(json_list(cids)).bind(limit);
        row::all(&self.readers.all(query).await?, row::message)
    }

    async fn messages(&self, cid: &str, page: &MessagePage) -> Result<Vec<Message>> {
        if let Some(id) = &page.around {
            let (limit, parent_id) = (page.limit, page.parent_id.clone());
            let older = MessagePage { limit: limit / 2, parent_id, before: Some(id.clone()), ..MessagePage::default() };
            let mut messages = self.messages(cid, &older).await?;
            let limit = limit - messages.len() as u32;
            let newer = MessagePage { limit, before: None, after: Some(id.clone()), inclusive: true, ..older };
            messages.extend(self.messages(cid, &newer).await?);
            return Ok(messages);
        }
        let mut sql = Sql::new("SELECT * FROM messages WHERE cid = ");
        sql.push_bind(cid.to_owned());
        match &page.parent_id {
            Some(parent) => sql.push(" AND parent_id = ").push_bind(parent.clone()),
            None => sql.push(" AND parent_id IS NULL"),
        };
        let (before, after) = if page.inclusive { ("<=", ">=") } else { ("<", ">") };
        for (bound, order) in [(&page.before, before), (&page.after, after)] {
            if let Some(id) = bound {
                push_bound(&mut sql, order, id);
            }
        }
        let newest_first = page.after.is_none();
        sql.push(match newest_first {
            true => " ORDER BY created_at DESC, id DESC LIMIT ",
            false => " ORDER BY created_at, id LIMIT ",
        });
        sql.push_bind(page.limit);
        let mut messages = row::all(&self.readers.all(sql.build()).await?, row::message)?;
        if newest_first {
            messages.reverse();
        }
        Ok(messages)
    }

    async fn update_message(&self, id: &str, change: &MessageChange, now: Timestamp) -> Result<Written<Message>> {
        let mut tx = self.begin().await?;
        let before = existing(&mut tx, id).await?;
        let mut after = before.clone();
        change.apply(&mut after, &self.limits)?;
        if after != before {
            after.updated_at = now;
            let sql = "UPDATE messages SET text = ?, updated_at = ?, custom = ? WHERE id = ?";
            let query = sqlx::query(sql).bind(&after.text);
            let query = query.bind(now.as_microsecond()).bind(row::object(&after.custom)?);
            query.bind(id).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        let before = Some(before);
        Ok(Written { before, after })
    }

    async fn delete_message(&self, id: &str, now: Timestamp) -> Result<Message> {
        let mut tx = self.begin().await?;
        let mut message = existing(&mut tx, id).await?;
        message.deleted_at = Some(now);
        message.updated_at = now;
        let sql = "UPDATE messages SET deleted_at = ?2, updated_at = ?2 WHERE id = ?1";
        let query = sqlx::query(sql).bind(id).bind(now.as_microsecond());
        query.execute(&mut *tx).await?;
        channels::recount(&mut tx, &message.cid).await?;
        tx.commit().await?;
        Ok(message)
    }

    async fn erase_message(&self, id: &str) -> Result<Message> {
        let mut tx = self.begin().await?;
        let message = find(&mut tx, id).await?;
        let message = message.ok_or_else(|| StoreError::not_found("message", id))?;
        let query = sqlx::query("DELETE FROM messages WHERE id = ?").bind(id);
        query.execute(&mut *tx).await?;
        channels::recount(&mut tx, &message.cid).await?;
        tx.commit().await?;
        Ok(message)
    }
}

/// Only messages on one side of the message `id`; none when there is no such message.
fn push_bound(sql: &mut Sql<Sqlite>, order: &'static str, id: &str) {
    sql.push(" AND (created_at, id) ").push(order);
    sql.push(" (SELECT created_at, id FROM messages WHERE id = ");
    sql.push_bind(id.to_owned()).push(")");
}

async fn find(tx: &mut SqliteConnection, id: &str) -> Result<Option<Message>> {
    let query = sqlx::query("SELECT * FROM messages WHERE id = ?").bind(id);
    let row = query.fetch_optional(tx).await?;
    row.as_ref().map(row::message).transpose()
}

/// The message, or an error when there is none or it was deleted.
async fn existing(tx: &mut SqliteConnection, id: &str) -> Result<Message> {
    let message = find(tx, id).await?;
    let message = message.filter(|message| message.deleted_at.is_none());
    message.ok_or_else(|| StoreError::not_found("message", id))
}

async fn insert(tx: &mut SqliteConnection, message: &Message) -> Result<()> {
    let sql = "INSERT INTO messages (id, cid, user_id, text, parent_id, created_at, updated_at,
            custom)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    sqlx::query(sql)
        .bind(&message.id)
        .bind(&message.cid)
        .bind(&message.user_id)
        .bind(&message.text)
        .bind(&message.parent_id)
        .bind(message.created_at.as_microsecond())
        .bind(message.updated_at.as_microsecond())
        .bind(row::object(&message.custom)?)
        .execute(tx)
        .await?;
    Ok(())
}

/// Marks everything these users wrote as deleted.
pub(super) async fn delete_of_users(tx: &mut SqliteConnection, user_ids: &[String], now: Timestamp) -> Result<()> {
    let sql = "UPDATE messages SET deleted_at = ?2, deleted_with_user = 1
        WHERE user_id IN (SELECT value FROM json_each(?1)) AND deleted_at IS NULL
        RETURNING cid";
    let query = sqlx::query_scalar(sql).bind(json_list(user_ids));
    let cids = query.bind(now.as_microsecond()).fetch_all(&mut *tx).await?;
    recount_all(tx, cids).await
}

/// Undoes [`delete_of_users`]; what was deleted on its own stays deleted.
pub(super) async fn restore_of_users(tx: &mut SqliteConnection, user_ids: &[String]) -> Result<()> {
    let sql = "UPDATE messages SET deleted_at = NULL, deleted_with_user = 0
        WHERE user_id IN (SELECT value FROM json_each(?1)) AND deleted_with_user = 1
        RETURNING cid";
    let query = sqlx::query_scalar(sql).bind(json_list(user_ids));
    let cids = query.fetch_all(&mut *tx).await?;
    recount_all(tx, cids).await
}

async fn recount_all(tx: &mut SqliteConnection, mut cids: Vec<String>) -> Result<()> {
    cids.sort_unstable();
    cids.dedup();
    for cid in cids {
        channels::recount(tx, &cid).await?;
    }
    Ok(())
}
