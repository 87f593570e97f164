use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, SqliteConnection};

use super::{SqliteStore, channels, json_list, users};
use crate::query::{MemberField, MemberQuery, Sort, Target};
use crate::store::filter;
use crate::store::row::{self, Columns, micros};
use crate::store::sql::Sql;
use crate::store::{Member, MemberChange, MemberStore, NewMember, Read, Result, StoreError, Unread, Written};

/// A member with what they have not read: messages of others since they last read.
const SELECT_READS: &str = "SELECT members.cid, members.user_id, members.last_read,
        members.last_read_message_id, (
            SELECT count(*) FROM messages
            WHERE messages.cid = members.cid AND messages.created_at > members.last_read
                AND messages.parent_id IS NULL AND messages.deleted_at IS NULL
                AND messages.user_id <> members.user_id
        ) AS unread";

#[async_trait]
impl MemberStore for SqliteStore {
    async fn members_of(&self, cids: &[String], limit: u32, offset: u32) -> Result<Vec<Member>> {
        let mut sql = Sql::new("SELECT members.*");
        push_first(&mut sql, cids, limit, offset);
        row::all(&self.readers.all(sql.build()).await?, row::member)
    }

    async fn members(&self, cid: &str, user_ids: &[String]) -> Result<Vec<Member>> {
        let sql = "SELECT * FROM members
            WHERE cid = ? AND user_id IN (SELECT value FROM json_each(?))";
        let query = sqlx::query(sql).bind(cid).bind(json_list(user_ids));
        row::all(&self.readers.all(query).await?, row::member)
    }

    async fn memberships(&self, user_id: &str, cids: &[String]) -> Result<Vec<Member>> {
        let sql = "SELECT * FROM members
            WHERE user_id = ? AND cid IN (SELECT value FROM json_each(?))";
        let query = sqlx::query(sql).bind(user_id).bind(json_list(cids));
        row::all(&self.readers.all(query).await?, row::member)
    }

    async fn member_ids(&self, cid: &str) -> Result<Vec<String>> {
        let query = sqlx::query("SELECT user_id FROM members WHERE cid = ?").bind(cid);
        row::all(&self.readers.all(query).await?, |row| row.text("user_id"))
    }

    async fn query_members(&self, query: &MemberQuery) -> Result<Vec<Member>> {
        let mut sql = Sql::new(
            "SELECT members.* FROM members JOIN users ON users.id = members.user_id
            WHERE members.cid = ",
        );
        sql.push_bind(query.cid.clone());
        filter::push_id_range(&mut sql, "members.user_id", &query.ids);
        sql.push(" AND ");
        filter::push(&mut sql, &query.filter);
        let first_joined_first = Sort { by: Target::Builtin(MemberField::CreatedAt), descending: false };
        let default = match query.ids.is_open() {
            true => vec![first_joined_first],
            false => Vec::new(),
        };
        filter::push_sort(&mut sql, &query.sort, &default, "members.user_id");
        filter::push_page(&mut sql, query.limit, query.offset);
        row::all(&self.readers.all(sql.build()).await?, row::member)
    }

    async fn add_members(&self, cid: &str, new: &[NewMember], now: Timestamp) -> Result<Vec<Member>> {
        let mut tx = self.begin().await?;
        channels::existing(&mut tx, cid).await?;
        let ids: Vec<String> = new.iter().map(|member| member.user_id.clone()).collect();
        users::require(&mut tx, &ids).await?;
        let mut added = Vec::with_capacity(new.len());
        for member in new {
            added.extend(insert(&mut tx, member.build(cid, now, &self.limits)?).await?);
        }
        channels::recount(&mut tx, cid).await?;
        tx.commit().await?;
        Ok(added)
    }

    async fn remove_members(&self, cid: &str, user_ids: &[String]) -> Result<Vec<Member>> {
        let mut tx = self.begin().await?;
        channels::existing(&mut tx, cid).await?;
        let sql = "DELETE FROM members
            WHERE cid = ? AND user_id IN (SELECT value FROM json_each(?)) RETURNING *";
        let query = sqlx::query(sql).bind(cid).bind(json_list(user_ids));
        let removed = row::all(&query.fetch_all(&mut *tx).await?, row::member)?;
        channels::recount(&mut tx, cid).await?;
        tx.commit().await?;
        Ok(removed)
    }

    async fn update_members(
        &self,
        cid: &str,
        changes: &[(String, MemberChange)],
        now: Timestamp,
    ) -> Result<Vec<Written<Member>>> {
        let mut tx = self.begin().await?;
        let mut written = Vec::with_capacity(changes.len());
        for (user_id, change) in changes {
            let before = existing(&mut tx, cid, user_id).await?;
            let mut after = before.clone();
            change.apply(&mut after, now, &self.limits)?;
            if after != before {
                after.updated_at = now;
                save(&mut tx, &after).await?;
            }
            let before = Some(before);
            written.push(Written { before, after });
        }
        tx.commit().await?;
        Ok(written)
    }

    async fn reads(&self, cids: &[String], limit: u32) -> Result<Vec<Read>> {
        let mut sql = Sql::new(SELECT_READS);
        push_first(&mut sql, cids, limit, 0);
        row::all(&self.readers.all(sql.build()).await?, row::read)
    }

    async fn reads_by(&self, user_id: &str, cids: &[String]) -> Result<Vec<Read>> {
        let mut sql = Sql::new(SELECT_READS);
        sql.push(" FROM members WHERE members.user_id = ").push_bind(user_id.to_owned());
        sql.push(" AND members.cid IN (SELECT value FROM json_each(");
        sql.push_bind(json_list(cids)).push("))");
        row::all(&self.readers.all(sql.build()).await?, row::read)
    }

    async fn mark_read(&self, cid: &str, user_id: &str, message_id: Option<&str>, now: Timestamp) -> Result<Read> {
        let mut tx = self.begin().await?;
        existing(&mut tx, cid, user_id).await?;
        let newest = "SELECT id, created_at FROM messages WHERE cid = ?1 AND parent_id IS NULL
            AND (?2 IS NULL OR id = ?2) ORDER BY created_at DESC, id DESC LIMIT 1";
        let query = sqlx::query_as(newest).bind(cid).bind(message_id);
        let newest: Option<(String, i64)> = query.fetch_optional(&mut *tx).await?;
        let (id, time) = match (newest, message_id) {
            (Some((id, time)), Some(_)) => (Some(id), time),
            (None, Some(id)) => return Err(StoreError::not_found("message", id)),
            (newest, None) => (newest.map(|(id, _)| id), now.as_microsecond()),
        };
        let sql = "UPDATE members SET last_read = ?, last_read_message_id = ?
            WHERE cid = ? AND user_id = ?";
        let query = sqlx::query(sql).bind(time).bind(id).bind(cid).bind(user_id);
        query.execute(&mut *tx).await?;
        let mut sql = Sql::new(SELECT_READS);
        sql.push(" FROM members WHERE members.cid = ").push_bind(cid.to_owned());
        sql.push(" AND members.user_id = ").push_bind(user_id.to_owned());
        let read = row::read(&sql.build().fetch_one(&mut *tx).await?)?;
        tx.commit().await?;
        Ok(read)
    }

    async fn mark_all_read(&self, user_id: &str, now: Timestamp) -> Result<Vec<Read>> {
        let mut tx = self.begin().await?;
        let mut sql = Sql::new(SELECT_READS);
        sql.push(" FROM members WHERE unread > 0 AND members.user_id = ");
        sql.push_bind(user_id.to_owned());
        let mut reads = row::all(&sql.build().fetch_all(&mut *tx).await?, row::read)?;
        let sql = "UPDATE members SET last_read = ?2, last_read_message_id = (
                SELECT id FROM messages WHERE messages.cid = members.cid AND parent_id IS NULL
                ORDER BY created_at DESC, id DESC LIMIT 1)
            WHERE user_id = ?1 AND cid IN (SELECT value FROM json_each(?3))
            RETURNING cid, last_read_message_id";
        let cids: Vec<String> = reads.iter().map(|read| read.cid.clone()).collect();
        let query = sqlx::query_as(sql).bind(user_id).bind(now.as_microsecond());
        let newest: Vec<(String, Option<String>)> = query.bind(json_list(&cids)).fetch_all(&mut *tx).await?;
        let mut newest: HashMap<_, _> = newest.into_iter().collect();
        for read in &mut reads {
            read.last_read = now;
            read.last_read_message_id = newest.remove(&read.cid).flatten();
            read.unread_messages = 0;
        }
        tx.commit().await?;
        Ok(reads)
    }

    async fn unread_of(&self, user_ids: &[String]) -> Result<HashMap<String, Unread>> {
        // Materialised, or each member would be counted once for `WHERE` and once for the sum.
        let mut sql = Sql::new("WITH reads AS MATERIALIZED (");
        sql.push(SELECT_READS).push(" FROM members JOIN channels USING (cid)");
        sql.push(" WHERE channels.deleted_at IS NULL AND members.user_id IN (SELECT value FROM json_each(");
        sql.push_bind(json_list(user_ids));
        sql.push(
            ")))
            SELECT user_id, sum(unread) AS messages, count(*) AS channels FROM reads WHERE unread > 0 GROUP BY user_id",
        );
        let rows = self.readers.all(sql.build()).await?;
        let unread = |row: &SqliteRow| {
            let unread = Unread { messages: row.count("messages")?, channels: row.count("channels")? };
            Ok((row.text("user_id")?, unread))
        };
        rows.iter().map(unread).collect()
    }
}

/// Appends where the first members of each channel come from, in the order of `cids` and in which
/// they joined.
fn push_first(sql: &mut Sql<Sqlite>, cids: &[String], limit: u32, offset: u32) {
    sql.push(" FROM json_each(").push_bind(json_list(cids));
    sql.push(
        ") AS wanted CROSS JOIN members ON members.rowid IN (
            SELECT rowid FROM members AS page WHERE page.cid = wanted.value
            ORDER BY page.created_at, page.user_id",
    );
    filter::push_page(sql, limit, offset);
    sql.push(") ORDER BY wanted.key, members.created_at, members.user_id");
}

/// The member, or an error when the user is none.
pub(super) async fn existing(tx: &mut SqliteConnection, cid: &str, user_id: &str) -> Result<Member> {
    let query = sqlx::query("SELECT * FROM members WHERE cid = ? AND user_id = ?");
    let row = query.bind(cid).bind(user_id).fetch_optional(tx).await?;
    let row = row.ok_or_else(|| StoreError::not_found("member", user_id))?;
    row::member(&row)
}

/// Adds a member. `None` when they are one already.
pub(super) async fn insert(tx: &mut SqliteConnection, member: Member) -> Result<Option<Member>> {
    let sql = "INSERT INTO members (cid, user_id, channel_role, invite, invited_at, banned,
            notifications_muted, hidden, hide_messages_before, last_read, created_at, updated_at,
            custom)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO NOTHING";
    let done = sqlx::query(sql)
        .bind(&member.cid)
        .bind(&member.user_id)
        .bind(&member.channel_role)
        .bind(member.invite.map(|invite| invite.as_str()))
        .bind(micros(member.invited_at))
        .bind(member.banned)
        .bind(member.notifications_muted)
        .bind(member.hidden)
        .bind(micros(member.hide_messages_before))
        .bind(member.created_at.as_microsecond())
        .bind(member.created_at.as_microsecond())
        .bind(member.updated_at.as_microsecond())
        .bind(row::object(&member.custom)?)
        .execute(tx)
        .await?;
    Ok((done.rows_affected() > 0).then_some(member))
}

/// Writes a member who exists.
pub(super) async fn save(tx: &mut SqliteConnection, member: &Member) -> Result<()> {
    let sql = "UPDATE members SET channel_role = ?, invite = ?, invited_at = ?,
            invite_accepted_at = ?, invite_rejected_at = ?, banned = ?, notifications_muted = ?,
            hidden = ?, hide_messages_before = ?, archived_at = ?, pinned_at = ?, updated_at = ?,
            custom = ?
        WHERE cid = ? AND user_id = ?";
    sqlx::query(sql)
        .bind(&member.channel_role)
        .bind(member.invite.map(|invite| invite.as_str()))
        .bind(micros(member.invited_at))
        .bind(micros(member.invite_accepted_at))
        .bind(micros(member.invite_rejected_at))
        .bind(member.banned)
        .bind(member.notifications_muted)
        .bind(member.hidden)
        .bind(micros(member.hide_messages_before))
        .bind(micros(member.archived_at))
        .bind(micros(member.pinned_at))
        .bind(member.updated_at.as_microsecond())
        .bind(row::object(&member.custom)?)
        .bind(&member.cid)
        .bind(&member.user_id)
        .execute(tx)
        .await?;
    Ok(())
}
