use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use sqlx::SqliteConnection;

use super::SqliteStore;
use crate::store::{Flip, FlipStore, Result, row};

#[async_trait]
impl FlipStore for SqliteStore {
    async fn claim_flips(&self, before: Timestamp, now: Timestamp) -> Result<Vec<Flip>> {
        let mut tx = self.begin().await?;
        let sql = "UPDATE untold_flips SET claimed_at = ? WHERE claimed_at <= ? RETURNING *";
        let query = sqlx::query(sql).bind(now.as_microsecond()).bind(before.as_microsecond());
        let flips = row::all(&query.fetch_all(&mut *tx).await?, row::flip)?;
        tx.commit().await?;
        Ok(flips)
    }

    async fn renew_flip(&self, flip: &Flip, now: Timestamp) -> Result<bool> {
        let mut tx = self.begin().await?;
        let sql = "UPDATE untold_flips SET claimed_at = ? WHERE user_id = ? AND id = ? AND claimed_at = ?";
        let query = sqlx::query(sql).bind(now.as_microsecond()).bind(&flip.user).bind(&flip.id);
        let renewed = query.bind(flip.claimed_at.as_microsecond()).execute(&mut *tx).await?.rows_affected();
        tx.commit().await?;
        Ok(renewed > 0)
    }

    async fn forget_flip(&self, flip: &Flip) -> Result<()> {
        let mut tx = self.begin().await?;
        let query = sqlx::query("DELETE FROM untold_flips WHERE user_id = ? AND id = ?");
        query.bind(&flip.user).bind(&flip.id).execute(&mut *tx).await?;
        tx.commit().await
    }
}

/// Each in the place of an older one. Users that do not exist are passed over.
pub(super) async fn put(tx: &mut SqliteConnection, flips: &[Flip]) -> Result<()> {
    let columns = |flip: &Flip| {
        let Flip { id, user, online, at, claimed_at } = flip;
        json!([user, id, i32::from(*online), at.as_microsecond(), claimed_at.as_microsecond()])
    };
    let flips: Vec<_> = Flip::newest(flips).into_iter().map(columns).collect();
    if flips.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO untold_flips (user_id, id, online, flipped_at, claimed_at)
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)
        WHERE value ->> 0 IN (SELECT id FROM users)
        ON CONFLICT (user_id) DO UPDATE SET id = excluded.id, online = excluded.online,
            flipped_at = excluded.flipped_at, claimed_at = excluded.claimed_at";
    sqlx::query(sql).bind(json!(flips).to_string()).execute(tx).await?;
    Ok(())
}
