use async_trait::async_trait;
use jiff::Timestamp;

use super::{PostgresStore, Transaction, members, users};
use crate::query::{ChannelField, ChannelQuery, Sort, Target};
use crate::store::filter;
use crate::store::row::{self, micros};
use crate::store::sql::Sql;
use crate::store::{Channel, ChannelChange, ChannelStore, Member, NewChannel, Opened, Result, StoreError, Written};

#[async_trait]
impl ChannelStore for PostgresStore {
    async fn get_or_create_channel(&self, new: &NewChannel, now: Timestamp) -> Result<Opened> {
        let cid = new.cid();
        // Most callers want a channel that is there: they need no lock.
        if let Some(channel) = self.channel(&cid).await? {
            let created = false;
            return Ok(Opened { channel, created });
        }
        let mut tx = self.begin().await?;
        let mut involved = vec![new.created_by_id.clone()];
        involved.extend(new.members.iter().map(|member| member.user_id.clone()));
        let channel = new.build(now, &self.limits)?;
        loop {
            if let Some(channel) = find_locked(&mut tx, &cid).await? {
                if channel.deleted_at.is_none() {
                    let created = false;
                    return Ok(Opened { channel, created });
                }
                erase(&mut tx, &cid).await?;
            }
            users::require(&mut tx, &involved).await?;
            // Somebody else may create the channel at the same time: then theirs is found.
            if insert(&mut tx, &channel).await? {
                break;
            }
        }
        let mut new_members: Vec<_> = new.members.iter().collect();
        new_members.sort_by(|a, b| a.user_id.cmp(&b.user_id));
        for member in new_members {
            members::insert(&mut tx, member.build(&cid, now, &self.limits)?).await?;
        }
        if new.hide_for_creator {
            let sql = "UPDATE members SET hidden = TRUE WHERE cid = $1 AND user_id = $2";
            let query = sqlx::query(sql).bind(&cid).bind(&new.created_by_id);
            query.execute(&mut tx).await?;
        }
        recount(&mut tx, std::slice::from_ref(&cid)).await?;
        let channel = existing(&mut tx, &cid).await?;
        tx.commit().await?;
        let created = true;
        Ok(Opened { channel, created })
    }

    async fn channels(&self, cids: &[String]) -> Result<Vec<Channel>> {
        let query = sqlx::query("SELECT * FROM channels WHERE cid = ANY($1) AND deleted_at IS NULL").bind(cids);
        row::all(&query.fetch_all(&self.readers).await?, row::channel)
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
            sql.push(" AND NOT coalesce(me.hidden, FALSE)");
        }
        sql.push(" AND ");
        filter::push(&mut sql, &query.filter);
        let liveliest_first = Sort { by: Target::Builtin(ChannelField::LastUpdated), descending: true };
        filter::push_sort(&mut sql, &query.sort, &[liveliest_first], "channels.cid");
        filter::push_page(&mut sql, query.limit, query.offset);
        row::all(&sql.build().persistent(false).fetch_all(&self.readers).await?, row::channel)
    }

    async fn channels_of(&self, user_id: &str) -> Result<Vec<String>> {
        let sql = "SELECT channels.cid FROM channels JOIN members USING (cid)
            WHERE members.user_id = $1 AND channels.deleted_at IS NULL";
        let query = sqlx::query_scalar(sql).bind(user_id);
        Ok(query.fetch_all(&self.readers).await?)
    }

    async fn update_channel(&self, cid: &str, change: &ChannelChange, now: Timestamp) -> Result<Written<Channel>> {
        let mut tx = self.begin().await?;
        let before = existing(&mut tx, cid).await?;
        let mut after = before.clone();
        change.apply(&mut after, &self.limits)?;
        if after != before {
            after.updated_at = now;
            update(&mut tx, &after).await?;
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
            update(&mut tx, channel).await?;
        }
        tx.commit().await?;
        Ok(channels)
    }

    async fn erase_channels(&self, cids: &[String]) -> Result<Vec<Channel>> {
        let mut tx = self.begin().await?;
        let channels = all_existing(&mut tx, cids).await?;
        sqlx::query("DELETE FROM channels WHERE cid = ANY($1)").bind(cids).execute(&mut tx).await?;
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

async fn find_locked(tx: &mut Transaction, cid: &str) -> Result<Option<Channel>> {
    let query = sqlx::query("SELECT * FROM channels WHERE cid = $1 FOR UPDATE").bind(cid);
    query.fetch_optional(tx).await?.as_ref().map(row::channel).transpose()
}

/// The channels that there are, deleted ones too, which nobody else changes until the end of the
/// transaction.
pub(super) async fn lock(tx: &mut Transaction, cids: &[String]) -> Result<Vec<Channel>> {
    let sql = "SELECT * FROM channels WHERE cid = ANY($1) ORDER BY cid FOR NO KEY UPDATE";
    row::all(&sqlx::query(sql).bind(cids).fetch_all(tx).await?, row::channel)
}

/// The channel, locked, or an error when there is none or it was deleted.
pub(super) async fn existing(tx: &mut Transaction, cid: &str) -> Result<Channel> {
    let channel = lock(tx, &[cid.to_owned()]).await?.pop();
    let channel = channel.filter(|channel| channel.deleted_at.is_none());
    channel.ok_or_else(|| StoreError::not_found("channel", cid))
}

async fn all_existing(tx: &mut Transaction, cids: &[String]) -> Result<Vec<Channel>> {
    let channels = lock(tx, cids).await?;
    let find = |cid: &String| {
        let channel = channels.iter().find(|channel| channel.cid == *cid && channel.deleted_at.is_none());
        channel.cloned().ok_or_else(|| StoreError::not_found("channel", cid))
    };
    cids.iter().map(find).collect()
}

/// Whether there was no such channel.
async fn insert(tx: &mut Transaction, channel: &Channel) -> Result<bool> {
    let sql = "INSERT INTO channels (cid, type, id, team, created_by_id, frozen, disabled,
            created_at, updated_at, last_message_at, deleted_at, member_count, message_count,
            custom, words)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, $12::json, $13::json)
        ON CONFLICT (cid) DO NOTHING";
    let done = sqlx::query(sql)
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
        .bind(row::object(&channel.custom)?)
        .bind(row::searchable(&channel.custom, &[])?)
        .execute(tx)
        .await?;
    Ok(done.rows_affected() > 0)
}

async fn update(tx: &mut Transaction, channel: &Channel) -> Result<()> {
    let sql = "UPDATE channels SET team = $2, frozen = $3, disabled = $4, updated_at = $5,
            deleted_at = $6, custom = $7::json, words = $8::json
        WHERE cid = $1";
    sqlx::query(sql)
        .bind(&channel.cid)
        .bind(&channel.team)
        .bind(channel.frozen)
        .bind(channel.disabled)
        .bind(channel.updated_at.as_microsecond())
        .bind(micros(channel.deleted_at))
        .bind(row::object(&channel.custom)?)
        .bind(row::searchable(&channel.custom, &[])?)
        .execute(tx)
        .await?;
    Ok(())
}

/// Removes the channel's row; those of its members and messages go with it.
async fn erase(tx: &mut Transaction, cid: &str) -> Result<()> {
    let query = sqlx::query("DELETE FROM channels WHERE cid = $1").bind(cid);
    query.execute(tx).await?;
    Ok(())
}

/// Brings what channels say of their members and messages in line with what they are.
pub(super) async fn recount(tx: &mut Transaction, cids: &[String]) -> Result<()> {
    let sql = "UPDATE channels SET
            member_count = (SELECT count(*) FROM members WHERE members.cid = channels.cid),
            (message_count, last_message_at) = (
                SELECT count(*), max(created_at) FROM messages
                WHERE messages.cid = channels.cid AND messages.deleted_at IS NULL)
        WHERE cid = ANY($1)";
    sqlx::query(sql).bind(cids).execute(tx).await?;
    Ok(())
}
