use async_trait::async_trait;
use jiff::Timestamp;

use super::{PostgresStore, Transaction, channels, flips, messages};
use crate::query::{Sort, Target, UserField, UserQuery};
use crate::store::filter;
use crate::store::row::{self, micros};
use crate::store::sql::Sql;
use crate::store::{Flip, Limits, Result, Sighting, StoreError, User, UserChange, UserStore, Written};

const BEARER: &str = "SELECT users.*, app.tokens_revoked_before FROM app LEFT JOIN users ON users.id = $1";

#[async_trait]
impl UserStore for PostgresStore {
    async fn upsert_users(&self, changes: &[UserChange], now: Timestamp) -> Result<Vec<Written<User>>> {
        // Most who connect say nothing new of themselves: they need no lock.
        let ids: Vec<String> = changes.iter().map(|change| change.id.clone()).collect();
        if let Some(unchanged) = UserChange::none_needed(changes, &self.users(&ids).await?, &self.limits)? {
            return Ok(unchanged);
        }
        let mut tx = self.begin().await?;
        let mut written = Vec::with_capacity(changes.len());
        for (place, change) in by_id(changes) {
            written.push((place, upsert(&mut tx, change, now, &self.limits).await?));
        }
        tx.commit().await?;
        Ok(in_place(written))
    }

    async fn update_users(&self, changes: &[UserChange], now: Timestamp) -> Result<Vec<Written<User>>> {
        let mut tx = self.begin().await?;
        let mut written = Vec::with_capacity(changes.len());
        for (place, change) in by_id(changes) {
            let before = lock(&mut tx, &change.id).await?;
            let before = before.ok_or_else(|| StoreError::not_found("user", &change.id))?;
            let user = change.write(Some(before), now, &self.limits)?;
            if user.is_changed() {
                update(&mut tx, &user.after).await?;
            }
            written.push((place, user));
        }
        tx.commit().await?;
        Ok(in_place(written))
    }

    async fn users(&self, ids: &[String]) -> Result<Vec<User>> {
        let query = sqlx::query("SELECT * FROM users WHERE id = ANY($1)").bind(ids);
        row::all(&query.fetch_all(&self.readers).await?, row::user)
    }

    async fn bearer(&self, id: &str) -> Result<(Option<User>, Option<Timestamp>)> {
        let query = sqlx::query(BEARER).bind(id);
        row::bearer(&query.fetch_one(&self.readers).await?)
    }

    async fn query_users(&self, query: &UserQuery) -> Result<Vec<User>> {
        let mut sql = Sql::new("SELECT users.* FROM users WHERE users.deleted_at IS NULL");
        if !query.include_deactivated {
            sql.push(" AND users.deactivated_at IS NULL");
        }
        filter::push_id_range(&mut sql, "users.id", &query.ids);
        sql.push(" AND ");
        filter::push(&mut sql, &query.filter);
        let newest_first = Sort { by: Target::Builtin(UserField::CreatedAt), descending: true };
        let default = match query.ids.is_open() {
            true => vec![newest_first],
            false => Vec::new(),
        };
        filter::push_sort(&mut sql, &query.sort, &default, "users.id");
        filter::push_page(&mut sql, query.limit, query.offset);
        row::all(&sql.build().persistent(false).fetch_all(&self.readers).await?, row::user)
    }

    async fn record_presence(&self, seen: &[Sighting], untold: &[Flip]) -> Result<Vec<User>> {
        let last = Sighting::last(seen);
        let ids: Vec<&str> = last.keys().copied().collect();
        let (online, active): (Vec<bool>, Vec<Option<i64>>) = last.values().copied().unzip();
        let mut tx = self.begin().await?;
        let sql = "SELECT FROM users WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";
        sqlx::query(sql).bind(&ids).execute(&mut tx).await?;
        // What is absent `greatest` passes over.
        let sql = "UPDATE users SET online = seen.online, last_active = greatest(users.last_active, seen.last_active)
            FROM unnest($1::text[], $2::boolean[], $3::bigint[]) AS seen (id, online, last_active)
            WHERE users.id = seen.id RETURNING users.*";
        let query = sqlx::query(sql).bind(&ids).bind(online).bind(active);
        let users = row::all(&query.fetch_all(&mut tx).await?, row::user)?;
        flips::put(&mut tx, untold).await?;
        tx.commit().await?;
        Ok(users)
    }

    async fn online_users(&self) -> Result<Vec<String>> {
        let query = sqlx::query_scalar("SELECT id FROM users WHERE online");
        Ok(query.fetch_all(&self.readers).await?)
    }

    async fn delete_users(&self, ids: &[String], with_messages: bool, now: Timestamp) -> Result<Vec<User>> {
        let mut tx = self.begin().await?;
        if with_messages {
            messages::delete_of_users(&mut tx, ids, now).await?;
        }
        let users = stamp(&mut tx, ids, |user| &mut user.deleted_at, Some(now), now).await?;
        tx.commit().await?;
        Ok(users)
    }

    async fn erase_users(&self, ids: &[String]) -> Result<Vec<User>> {
        let mut tx = self.begin().await?;
        let cids = cids_of(&mut tx, ids).await?;
        channels::lock(&mut tx, &cids).await?;
        let sql = "SELECT * FROM users WHERE id = ANY($1) ORDER BY id FOR UPDATE";
        let users = row::all(&sqlx::query(sql).bind(ids).fetch_all(&mut tx).await?, row::user)?;
        let users = in_order(ids, &users)?;
        // Again: there may be more by now, and from here on there will not.
        let cids = cids_of(&mut tx, ids).await?;
        sqlx::query("DELETE FROM users WHERE id = ANY($1)").bind(ids).execute(&mut tx).await?;
        channels::recount(&mut tx, &cids).await?;
        tx.commit().await?;
        Ok(users)
    }

    async fn restore_users(&self, ids: &[String], now: Timestamp) -> Result<Vec<User>> {
        let mut tx = self.begin().await?;
        let users = stamp(&mut tx, ids, |user| &mut user.deleted_at, None, now).await?;
        tx.commit().await?;
        Ok(users)
    }

    async fn deactivate_users(&self, ids: &[String], with_messages: bool, now: Timestamp) -> Result<Vec<User>> {
        let mut tx = self.begin().await?;
        if with_messages {
            messages::delete_of_users(&mut tx, ids, now).await?;
        }
        let users = stamp(&mut tx, ids, |user| &mut user.deactivated_at, Some(now), now).await?;
        tx.commit().await?;
        Ok(users)
    }

    async fn reactivate_users(&self, ids: &[String], with_messages: bool, now: Timestamp) -> Result<Vec<User>> {
        let mut tx = self.begin().await?;
        if with_messages {
            messages::restore_of_users(&mut tx, ids).await?;
        }
        let users = stamp(&mut tx, ids, |user| &mut user.deactivated_at, None, now).await?;
        tx.commit().await?;
        Ok(users)
    }

    async fn revoke_user_tokens(&self, id: &str, before: Option<Timestamp>) -> Result<User> {
        let mut tx = self.begin().await?;
        let user = lock(&mut tx, id).await?;
        let mut user = user.ok_or_else(|| StoreError::not_found("user", id))?;
        user.revoke_tokens_issued_before = before;
        update(&mut tx, &user).await?;
        tx.commit().await?;
        Ok(user)
    }
}

/// The changes in the order in which their users are locked, each with its place.
fn by_id(changes: &[UserChange]) -> Vec<(usize, &UserChange)> {
    let mut changes: Vec<_> = changes.iter().enumerate().collect();
    changes.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
    changes
}

fn in_place(mut written: Vec<(usize, Written<User>)>) -> Vec<Written<User>> {
    written.sort_by_key(|(place, _)| *place);
    written.into_iter().map(|(_, user)| user).collect()
}

/// The users with these ids, in that order; one that is missing is an error.
fn in_order(ids: &[String], users: &[User]) -> Result<Vec<User>> {
    let find = |id: &String| users.iter().find(|user| user.id == *id).cloned();
    let missing: Vec<String> = ids.iter().filter(|id| find(id).is_none()).cloned().collect();
    match missing.is_empty() {
        true => Ok(ids.iter().filter_map(find).collect()),
        false => Err(StoreError::NotFound { what: "user", ids: missing }),
    }
}

/// An error that names those of `ids` who are not users, or were deleted.
pub(super) async fn require(tx: &mut Transaction, ids: &[String]) -> Result<()> {
    let query = sqlx::query("SELECT * FROM users WHERE id = ANY($1)").bind(ids);
    let users = row::all(&query.fetch_all(tx).await?, row::user)?;
    let deleted = in_order(ids, &users)?.into_iter().filter(|user| user.deleted_at.is_some());
    let deleted: Vec<String> = deleted.map(|user| user.id).collect();
    match deleted.is_empty() {
        true => Ok(()),
        false => Err(StoreError::Deleted { ids: deleted }),
    }
}

/// The user, whom nobody else changes until the end of the transaction.
async fn lock(tx: &mut Transaction, id: &str) -> Result<Option<User>> {
    let query = sqlx::query("SELECT * FROM users WHERE id = $1 FOR NO KEY UPDATE").bind(id);
    query.fetch_optional(tx).await?.as_ref().map(row::user).transpose()
}

async fn upsert(tx: &mut Transaction, change: &UserChange, now: Timestamp, limits: &Limits) -> Result<Written<User>> {
    loop {
        let before = lock(tx, &change.id).await?;
        let user = change.write(before, now, limits)?;
        if user.is_new() {
            // Somebody else may create the user at the same time: then theirs is changed.
            if !insert(tx, &user.after).await? {
                continue;
            }
        } else if user.is_changed() {
            update(tx, &user.after).await?;
        }
        return Ok(user);
    }
}

/// Sets or clears one of the times that say what became of a user. Users of whom that is already
/// true stay as they are.
async fn stamp(
    tx: &mut Transaction,
    ids: &[String],
    field: fn(&mut User) -> &mut Option<Timestamp>,
    time: Option<Timestamp>,
    now: Timestamp,
) -> Result<Vec<User>> {
    let sql = "SELECT * FROM users WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";
    let users = row::all(&sqlx::query(sql).bind(ids).fetch_all(&mut *tx).await?, row::user)?;
    let mut users = in_order(ids, &users)?;
    for user in &mut users {
        let field = field(user);
        if field.is_some() != time.is_some() {
            *field = time;
            user.updated_at = now;
            update(tx, user).await?;
        }
    }
    Ok(users)
}

/// The channels in which these users are members or wrote something.
async fn cids_of(tx: &mut Transaction, user_ids: &[String]) -> Result<Vec<String>> {
    let sql = "SELECT cid FROM members WHERE user_id = ANY($1)
        UNION SELECT cid FROM messages WHERE user_id = ANY($1)";
    Ok(sqlx::query_scalar(sql).bind(user_ids).fetch_all(tx).await?)
}

/// Whether there was no such user.
async fn insert(tx: &mut Transaction, user: &User) -> Result<bool> {
    let sql = "INSERT INTO users (id, name, image, role, teams, language, invisible, banned,
            privacy_settings, updated_at, last_active, deactivated_at, deleted_at,
            revoke_tokens_issued_before, custom, words, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::json, $10, $11, $12, $13, $14, $15::json, $16::json, $17)
        ON CONFLICT (id) DO NOTHING";
    let query = bind(sqlx::query(sql), user)?.bind(user.created_at.as_microsecond());
    Ok(query.execute(tx).await?.rows_affected() > 0)
}

async fn update(tx: &mut Transaction, user: &User) -> Result<()> {
    let sql = "UPDATE users SET name = $2, image = $3, role = $4, teams = $5, language = $6,
            invisible = $7, banned = $8, privacy_settings = $9::json, updated_at = $10,
            last_active = $11, deactivated_at = $12, deleted_at = $13,
            revoke_tokens_issued_before = $14, custom = $15::json, words = $16::json
        WHERE id = $1";
    bind(sqlx::query(sql), user)?.execute(tx).await?;
    Ok(())
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

/// All of a user that may change, after the id.
fn bind<'q>(query: Query<'q>, user: &'q User) -> Result<Query<'q>> {
    let builtin = [("id", Some(user.id.as_str())), ("name", user.name.as_deref())];
    Ok(query
        .bind(&user.id)
        .bind(&user.name)
        .bind(&user.image)
        .bind(&user.role)
        .bind(&user.teams)
        .bind(&user.language)
        .bind(user.invisible)
        .bind(user.banned)
        .bind(user.privacy_settings.as_ref().map(ToString::to_string))
        .bind(user.updated_at.as_microsecond())
        .bind(micros(user.last_active))
        .bind(micros(user.deactivated_at))
        .bind(micros(user.deleted_at))
        .bind(micros(user.revoke_tokens_issued_before))
        .bind(row::object(&user.custom)?)
        .bind(row::searchable(&user.custom, &builtin)?))
}
