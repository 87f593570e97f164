use async_trait::async_trait;
use jiff::Timestamp;

use super::{PostgresStore, Transaction};
use crate::store::{Flip, FlipStore, Result, row};

#[async_trait]
impl FlipStore for PostgresStore {
    async fn claim_flips(&self, before: Timestamp, now: Timestamp) -> Result<Vec<Flip>> {
        let mut tx = self.begin().await?;
        // What another server is writing it does not leave to this one.
        let sql = "UPDATE untold_flips SET claimed_at = $1 WHERE user_id IN
            (SELECT user_id FROM untold_flips WHERE claimed_at <= $2 ORDER BY user_id FOR UPDATE SKIP LOCKED)
            RETURNING *";
        let query = sqlx::query(sql).bind(now.as_microsecond()).bind(before.as_microsecond());
        let flips = row::all(&query.fetch_all(&mut tx).await?, row::flip)?;
        tx.commit().await?;
        Ok(flips)
    }

    async fn renew_flip(&self, flip: &Flip, now: Timestamp) -> Result<bool> {
        let sql = "UPDATE untold_flips SET claimed_at = $1 WHERE user_id = $2 AND id = $3 AND claimed_at = $4";
        let query = sqlx::query(sql).bind(now.as_microsecond()).bind(&flip.user).bind(&flip.id);
        let renewed = query.bind(flip.claimed_at.as_microsecond()).execute(&self.writers).await?.rows_affected();
        Ok(renewed > 0)
    }

    async fn forget_flip(&self, flip: &Flip) -> Result<()> {
        let query = sqlx::query("DELETE FROM untold_flips WHERE user_id = $1 AND id = $2");
        query.bind(&flip.user).bind(&flip.id).execute(&self.writers).await?;
        Ok(())
    }
}

/// Each in the place of an older one. Users that do not exist are passed over.
pub(super) async fn put(tx: &mut Transaction, flips: &[Flip]) -> Result<()> {
    let flips = Flip::newest(flips);
    if flips.is_empty() {
        return Ok(());
    }
    let texts = |column: fn(&Flip) -> &str| flips.iter().map(|flip| column(flip)).collect::<Vec<_>>();
    let times =
        |column: fn(&Flip) -> Timestamp| flips.iter().map(|flip| column(flip).as_microsecond()).collect::<Vec<_>>();
    let online: Vec<bool> = flips.iter().map(|flip| flip.online).collect();
    let sql = "INSERT INTO untold_flips (user_id, id, online, flipped_at, claimed_at)
        SELECT flips.* FROM unnest($1::text[], $2::text[], $3::boolean[], $4::bigint[], $5::bigint[])
            AS flips (user_id, id, online, flipped_at, claimed_at)
        WHERE user_id IN (SELECT id FROM users)
        ORDER BY user_id
        ON CONFLICT (user_id) DO UPDATE SET id = excluded.id, online = excluded.online,
            flipped_at = excluded.flipped_at, claimed_at = excluded.claimed_at";
    sqlx::query(sql)
        .bind(texts(|flip| &flip.user))
        .bind(texts(|flip| &flip.id))
        .bind(online)
        .bind(times(|flip| flip.at))
        .bind(times(|flip| flip.claimed_at))
        .execute(tx)
        .await?;
    Ok(())
}
