use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{SqliteStore, json_list, members, users};
use crate::query::{ChannelField, ChannelQuery, Sort, Target};
use crate::store::filter;
use crate::store::row::{self, Columns, micros};
use crate::store::sql::Sql;
use crate::store::{Channel, ChannelChange, ChannelStore, Member, NewChannel, Opened, Result, StoreError, Written};

#[async_trait]
impl ChannelStore for SqliteStore {
    async fn get_or_create_channel(&self, new: &NewChannel, now: Timestamp) -> Result<Opened> {
        let cid = new.cid();
        // Most callers want a channel that is there: they need not wait for the writer.
        if let Some(channel) = self.channel(&cid).await? {
            let created = false;
            return Ok(Opened { channel, created });
        }
        let mut tx = self.begin().await?;
        if let Some(channel) = find(&mut tx, &cid).await? {
            if channel.deleted_at.is_none() {
                let created = false;
                return Ok(Opened { channel, created });
            }
            erase(&mut tx, &cid).await?;
        }
        let mut involved = vec![new.created_by_id.clone()];
        involved.extend(new.members.iter().map(|member| member.user_id.clone()));
        users::require(&mut tx, &involved).await?;
        save(&mut tx, &new.build(now, &self.limits)?).await?;
        for member in &new.members {
            members::insert(&mut tx, member.build(&cid, now, &self.limits)?).await?;
        }
        if new.hide_for_creator {
            let sql = "UPDATE members SET hidden = 1 WHERE cid = ? AND user_id = ?";
            let query = sqlx::query(sql).bind(&cid).bind(&new.created_by_id);
            query.execute(&mut *tx).await?;
        }
        recount(&mut tx, &cid).await?;
        let channel = existing(&mut tx, &cid).await?;
        tx.commit().await?;
        let created = true;
        Ok(Opened { channel, created })
    }

    async fn channels(&self, cids: &[String]) -> Result<Vec<Channel>> {
        let sql = "SELECT * FROM channels
            WHERE cid IN (SELECT value FROM json_each(?)) AND deleted_at IS NULL";
        let query = sqlx::query(sql).bind(json_list(cids));
        row::all(&self.lookups.all(query).await?, row::channel)
    }

    async fn query_channels(&self, query: &ChannelQuery) -> Result<Vec<Channel>> {
        // Fields about the viewer are read from `me`: their membership, if there is one.
        let mut sql = Sql::new(
            "SELECT channels.* FROM channels
            LEFT JOIN members AS me ON me.cid = channels.cid AND me.user_id = ",
        );
        sql.push_bind(query.viewer.clone());
        sql.push(" WHERE channels.deleted_at IS NULL");
        if !query.filter.mentions(ChannelField::Hidden) {
            sql.push(" AND coalesce(me.hidden, 0) = 0");
        }
        sql.push(" AND ");
        filter::push(&mut sql, &query.filter);
        let liveliest_first = Sort { by: Target::Builtin(ChannelField::LastUpdated), descending: true };
        filter::push_sort(&mut sql, &query.sort, &[liveliest_first], "channels.cid");
        filter::push_page(&mut sql, query.limit, query.offset);
        row::all(&self.readers.all(sql.build()).await?, row::channel)
    }

    async fn channels_of(&self, user_id: &str) -> Result<Vec<String>> {
        let sql = "SELECT channels.cid FROM channels JOIN members USING (cid)
            WHERE members.user_id = ? AND channels.deleted_at IS NULL";
        let query = sqlx::query(sql).bind(user_id);
        row::all(&self.readers.all(query).await?, |row| row.text("cid"))
    }

    async fn update_channel(&self, cid: &str, change: &ChannelChange, now: Timestamp) -> Result<Written<Channel>> {
        let mut tx = self.begin().await?;
        let before = existing(&mut tx, cid).await?;
        let mut after = before.clone();
        change.apply(&mut after, &self.limits)?;
        if after != before {
            after.updated_at = now;
            save(&mut tx, &after).await?;
        }
        tx.commit().await?;
        let before = Some(before);
        Ok(Written { before, after })
    }

    async fn delete_channels(&self, cids: &[String], now: Timestamp) -> Result<Vec<Channel>> {
        let mut tx = self.begin().await?;
        let mut channels = all_existing(&mut tx, cids).await?;
        for channel in &mut channels {
            channel.deleted_at = Some(now);
            channel.updated_at = now;
            save(&mut tx, channel).await?;
        }
        tx.commit().await?;
        Ok(channels)
    }

    async fn erase_channels(&self, cids: &[String]) -> Result<Vec<Channel>> {
        let mut tx = self.begin().await?;
        let channels = all_existing(&mut tx, cids).await?;
        for cid in cids {
            erase(&mut tx, cid).await?;
        }
        tx.commit().await?;
        Ok(channels)
    }

    async fn hide_channel(&self, cid: &str, user_id: &str, clear_history: bool, now: Timestamp) -> Result<Member> {
        let mut tx = self.begin().await?;
        let mut member = members::existing(&mut tx, cid, user_id).await?;
        member.hidden = true;
        if clear_history {
            member.hide_messages_before = Some(now);
        }
        member.updated_at = now;
        members::save(&mut tx, &member).await?;
        tx.commit().await?;
        Ok(member)
    }

    async fn show_channel(&self, cid: &str, user_id: &str, now: Timestamp) -> Result<Member> {
        let mut tx = self.begin().await?;
        let mut member = members::existing(&mut tx, cid, user_id).await?;
        member.hidden = false;
        member.updated_at = now;
        members::save(&mut tx, &member).await?;
        tx.commit().await?;
        Ok(member)
    }
}

async fn find(tx: &mut SqliteConnection, cid: &str) -> Result<Option<Channel>> {
    let query = sqlx::query("SELECT * FROM channels WHERE cid = ?").bind(cid);
    query.fetch_optional(tx).await?.as_ref().map(row::channel).transpose()
}

/// The channel, or an error when there is none or it was deleted.
pub(super) async fn existing(tx: &mut SqliteConnection, cid: &str) -> Result<Channel> {
    let channel = find(tx, cid).await?;
    let channel = channel.filter(|channel| channel.deleted_at.is_none());
    channel.ok_or_else(|| StoreError::not_found("channel", cid))
}

async fn all_existing(tx: &mut SqliteConnection, cids: &[String]) -> Result<Vec<Channel>> {
    let mut channels = Vec::with_capacity(cids.len());
    for cid in cids {
        channels.push(existing(tx, cid).await?);
    }
    Ok(channels)
}

async fn save(tx: &mut SqliteConnection, channel: &Channel) -> Result<()> {
    let sql = "INSERT INTO channels (cid, type, id, team, created_by_id, frozen, disabled,
            created_at, updated_at, last_message_at, deleted_at, member_count, message_count,
            custom, words)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (cid) DO UPDATE SET team = excluded.team, frozen = excluded.frozen,
            disabled = excluded.disabled, updated_at = excluded.updated_at,
            deleted_at = excluded.deleted_at, custom = excluded.custom, words = excluded.words";
    sqlx::query(sql)
        .bind(&channel.cid)
        .bind(&channel.kind)
        .bind(&channel.id)
        .bind(&channel.team)
        .bind(&channel.created_by_id)
        .bind(channel.frozen)
        .bind(channel.disabled)
        .bind(channel.created_at.as_microsecond())
        .bind(channel.updated_at.as_microsecond())
        .bind(micros(channel.last_message_at))
        .bind(micros(channel.deleted_at))
        .bind(channel.member_count)
        .bind(channel.message_count)
        .bind(row::object(&channel.custom)?)
        .bind(row::searchable(&channel.custom, &[])?)
        .execute(tx)
        .await?;
    Ok(())
}

/// Removes the channel's row; those of its members and messages go with it.
async fn erase(tx: &mut SqliteConnection, cid: &str) -> Result<()> {
    let query = sqlx::query("DELETE FROM channels WHERE cid = ?").bind(cid);
    query.execute(tx).await?;
    Ok(())
}

/// Brings what a channel says of its members and messages in line with what they are.
pub(super) async fn recount(tx: &mut SqliteConnection, cid: &str) -> Result<()> {
    let sql = "UPDATE channels SET
            member_count = (SELECT count(*) FROM members WHERE cid = ?1),
            (message_count, last_message_at) = (
                SELECT count(*), max(created_at) FROM messages
                WHERE cid = ?1 AND deleted_at IS NULL)
        WHERE cid = ?1";
    sqlx::query(sql).bind(cid).execute(tx).await?;
    Ok(())
}
