use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use sqlx::{Sqlite, SqliteConnection};

use super::{SqliteStore, channels, flips, json_list, messages};
use crate::query::{Sort, Target, UserField, UserQuery};
use crate::store::filter;
use crate::store::row::{self, Columns, micros};
use crate::store::sql::Sql;
use crate::store::{Flip, Limits, Result, Sighting, StoreError, User, UserChange, UserStore, Written};

const BY_ID: &str = "SELECT * FROM users WHERE id IN (SELECT value FROM json_each(?))";
const BEARER: &str = "SELECT users.*, app.tokens_revoked_before FROM app LEFT JOIN users ON users.id = ?";

#[async_trait]
impl UserStore for SqliteStore {
    async fn upsert_users(&self, changes: &[UserChange], now: Timestamp) -> Result<Vec<Written<User>>> {
        // Most who connect say nothing new of themselves: they need not wait for the writer.
        let commits = self.writer.commits();
        let ids: Vec<String> = changes.iter().map(|change| change.id.clone()).collect();
        let mut users = self.users(&ids).await?;
        if let Some(unchanged) = UserChange::none_needed(changes, &users, &self.limits)? {
            return Ok(unchanged);
        }
        let mut tx = self.begin().await?;
        if tx.sees() != Some(commits) {
            users = find(&mut tx, &ids).await?;
        }
        let written = write(&mut tx, changes, users, now, &self.limits).await?;
        tx.commit().await?;
        Ok(written)
    }

    async fn update_users(&self, changes: &[UserChange], now: Timestamp) -> Result<Vec<Written<User>>> {
        let ids: Vec<String> = changes.iter().map(|change| change.id.clone()).collect();
        let mut tx = self.begin().await?;
        let users = find_all(&mut tx, &ids).await?;
        let written = write(&mut tx, changes, users, now, &self.limits).await?;
        tx.commit().await?;
        Ok(written)
    }

    async fn users(&self, ids: &[String]) -> Result<Vec<User>> {
        let query = sqlx::query(BY_ID).bind(json_list(ids));
        row::all(&self.lookups.all(query).await?, row::user)
    }

    async fn bearer(&self, id: &str) -> Result<(Option<User>, Option<Timestamp>)> {
        let query = sqlx::query(BEARER).bind(id);
        row::bearer(&self.lookups.one(query).await?)
    }

    async fn query_users(&self, query: &UserQuery) -> Result<Vec<User>> {
        row::all(&self.readers.all(page(query).build()).await?, row::user)
    }

    async fn record_presence(&self, seen: &[Sighting], untold: &[Flip]) -> Result<Vec<User>> {
        let seen = Sighting::last(seen).into_iter();
        let seen: Vec<_> = seen.map(|(user, (online, active))| json!([user, i32::from(online), active])).collect();
        let mut tx = self.begin().await?;
        let sql = "UPDATE users SET online = seen.online,
                last_active = CASE WHEN users.last_active > seen.last_active THEN users.last_active
                    ELSE coalesce(seen.last_active, users.last_active) END
            FROM (SELECT value ->> 0 AS id, value ->> 1 AS online, value ->> 2 AS last_active FROM json_each(?)) AS seen
            WHERE users.id = seen.id RETURNING *";
        let query = sqlx::query(sql).bind(json!(seen).to_string());
        let users = row::all(&query.fetch_all(&mut *tx).await?, row::user)?;
        flips::put(&mut tx, untold).await?;
        tx.commit().await?;
        Ok(users)
    }

    async fn online_users(&self) -> Result<Vec<String>> {
        let query = sqlx::query("SELECT id FROM users WHERE online = 1");
        row::all(&self.readers.all(query).await?, |row| row.text("id"))
    }

    async fn delete_users(&self, ids: &[String], with_messages: bool, now: Timestamp) -> Result<Vec<User>> {
        let mut tx = self.begin().await?;
        let users = stamp(&mut tx, ids, |user| &mut user.deleted_at, Some(now), now).await?;
        if with_messages {
            messages::delete_of_users(&mut tx, ids, now).await?;
        }
        tx.commit().await?;
        Ok(users)
    }

    async fn erase_users(&self, ids: &[String]) -> Result<Vec<User>> {
        let mut tx = self.begin().await?;
        let users = find_all(&mut tx, ids).await?;
        let sql = "SELECT cid FROM members WHERE user_id IN (SELECT value FROM json_each(?1))
            UNION SELECT cid FROM messages WHERE user_id IN (SELECT value FROM json_each(?1))";
        let query = sqlx::query_scalar(sql).bind(json_list(ids));
        let cids: Vec<String> = query.fetch_all(&mut *tx).await?;
        let sql = "DELETE FROM users WHERE id IN (SELECT value FROM json_each(?))";
        sqlx::query(sql).bind(json_list(ids)).execute(&mut *tx).await?;
        for cid in cids {
            channels::recount(&mut tx, &cid).await?;
        }
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
        let users = stamp(&mut tx, ids, |user| &mut user.deactivated_at, Some(now), now).await?;
        if with_messages {
            messages::delete_of_users(&mut tx, ids, now).await?;
        }
        tx.commit().await?;
        Ok(users)
    }

    async fn reactivate_users(&self, ids: &[String], with_messages: bool, now: Timestamp) -> Result<Vec<User>> {
        let mut tx = self.begin().await?;
        let users = stamp(&mut tx, ids, |user| &mut user.deactivated_at, None, now).await?;
        if with_messages {
            messages::restore_of_users(&mut tx, ids).await?;
        }
        tx.commit().await?;
        Ok(users)
    }

    async fn revoke_user_tokens(&self, id: &str, before: Option<Timestamp>) -> Result<User> {
        let mut tx = self.begin().await?;
        let user = find(&mut tx, &[id.to_owned()]).await?.pop();
        let mut user = user.ok_or_else(|| StoreError::not_found("user", id))?;
        user.revoke_tokens_issued_before = before;
        save(&mut tx, &user).await?;
        tx.commit().await?;
        Ok(user)
    }
}

fn page(query: &UserQuery) -> Sql<Sqlite> {
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
    sql
}

async fn find(tx: &mut SqliteConnection, ids: &[String]) -> Result<Vec<User>> {
    row::all(&sqlx::query(BY_ID).bind(json_list(ids)).fetch_all(tx).await?, row::user)
}

/// The users with these ids, in that order; one that is missing is an error.
async fn find_all(tx: &mut SqliteConnection, ids: &[String]) -> Result<Vec<User>> {
    let found: HashMap<String, User> = find(tx, ids).await?.into_iter().map(|user| (user.id.clone(), user)).collect();
    let missing: Vec<String> = ids.iter().filter(|id| !found.contains_key(*id)).cloned().collect();
    match missing.is_empty() {
        true => Ok(ids.iter().filter_map(|id| found.get(id).cloned()).collect()),
        false => Err(StoreError::NotFound { what: "user", ids: missing }),
    }
}

/// An error that names those of `ids` who are not users, or were deleted.
pub(super) async fn require(tx: &mut SqliteConnection, ids: &[String]) -> Result<()> {
    let users = find_all(tx, ids).await?;
    let deleted = users.into_iter().filter(|user| user.deleted_at.is_some());
    let deleted: Vec<String> = deleted.map(|user| user.id).collect();
    match deleted.is_empty() {
        true => Ok(()),
        false => Err(StoreError::Deleted { ids: deleted }),
    }
}

/// Sets or clears one of the times that say what became of a user. Users of whom that is already
/// true stay as they are.
async fn stamp(
    tx: &mut SqliteConnection,
    ids: &[String],
    field: fn(&mut User) -> &mut Option<Timestamp>,
    time: Option<Timestamp>,
    now: Timestamp,
) -> Result<Vec<User>> {
    let mut users = find_all(tx, ids).await?;
    for user in &mut users {
        let field = field(user);
        if field.is_some() != time.is_some() {
            *field = time;
            user.updated_at = now;
            save(tx, user).await?;
        }
    }
    Ok(users)
}

/// Changes these users, of whom some may be new, in order.
async fn write(
    tx: &mut SqliteConnection,
    changes: &[UserChange],
    users: Vec<User>,
    now: Timestamp,
    limits: &Limits,
) -> Result<Vec<Written<User>>> {
    let mut users: HashMap<String, User> = users.into_iter().map(|user| (user.id.clone(), user)).collect();
    let mut all = Vec::with_capacity(changes.len());
    for change in changes {
        let written = change.write(users.remove(&change.id), now, limits)?;
        if written.is_changed() {
            save(tx, &written.after).await?;
        }
        users.insert(change.id.clone(), written.after.clone());
        all.push(written);
    }
    Ok(all)
}

async fn save(tx: &mut SqliteConnection, user: &User) -> Result<()> {
    let builtin = [("id", Some(user.id.as_str())), ("name", user.name.as_deref())];
    let sql = "INSERT INTO users (id, name, image, role, teams, language, invisible, banned,
            privacy_settings, created_at, updated_at, last_active, deactivated_at, deleted_at,
            revoke_tokens_issued_before, custom, words)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, image = excluded.image,
            role = excluded.role, teams = excluded.teams, language = excluded.language,
            invisible = excluded.invisible, banned = excluded.banned,
            privacy_settings = excluded.privacy_settings, updated_at = excluded.updated_at,
            last_active = excluded.last_active, deactivated_at = excluded.deactivated_at,
            deleted_at = excluded.deleted_at,
            revoke_tokens_issued_before = excluded.revoke_tokens_issued_before,
            custom = excluded.custom, words = excluded.words";
    sqlx::query(sql)
        .bind(&user.id)
        .bind(&user.name)
        .bind(&user.image)
        .bind(&user.role)
        .bind(json_list(&user.teams))
        .bind(&user.language)
        .bind(user.invisible)
        .bind(user.banned)
        .bind(user.privacy_settings.as_ref().map(ToString::to_string))
        .bind(user.created_at.as_microsecond())
        .bind(user.updated_at.as_microsecond())
        .bind(micros(user.last_active))
        .bind(micros(user.deactivated_at))
        .bind(micros(user.deleted_at))
        .bind(micros(user.revoke_tokens_issued_before))
        .bind(row::object(&user.custom)?)
        .bind(row::searchable(&user.custom, &builtin)?)
        .execute(tx)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::Execute;

    use super::*;
    use crate::query::{Filter, IdRange, Limits};

    #[test]
    fn the_benchmark_of_queries_asks_the_database_the_same() {
        let query = UserQuery {
            filter: Filter::parse(&json!({ "id": { "$in": ["ada", "bob"] } }), &Limits::default()).unwrap(),
            sort: Vec::new(),
            ids: IdRange::default(),
            include_deactivated: false,
            limit: 2,
            offset: 0,
        };
        assert_eq!(page(&query).build().sql().as_str(), rollcall_load::query_users::SQL);
    }
}
