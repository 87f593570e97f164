use async_trait::async_trait;
use jiff::Timestamp;

use super::SqliteStore;
use crate::store::row::{self, Columns, micros};
use crate::store::{AppStore, Result, Task};

#[async_trait]
impl AppStore for SqliteStore {
    async fn tokens_revoked_before(&self) -> Result<Option<Timestamp>> {
        let query = sqlx::query("SELECT tokens_revoked_before FROM app");
        self.lookups.one(query).await?.optional_time("tokens_revoked_before")
    }

    async fn revoke_tokens(&self, before: Option<Timestamp>) -> Result<()> {
        let query = sqlx::query("UPDATE app SET tokens_revoked_before = ?").bind(micros(before));
        let mut tx = self.begin().await?;
        query.execute(&mut *tx).await?;
        tx.commit().await
    }

    async fn put_task(&self, task: &Task) -> Result<()> {
        let sql = "INSERT INTO tasks (id, status, result, created_at, updated_at)
            VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET status = excluded.status, result = excluded.result,
                updated_at = excluded.updated_at";
        let mut tx = self.begin().await?;
        sqlx::query(sql)
            .bind(&task.id)
            .bind(task.status.as_str())
            .bind(task.result.to_string())
            .bind(task.created_at.as_microsecond())
            .bind(task.updated_at.as_microsecond())
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }

    async fn task(&self, id: &str) -> Result<Option<Task>> {
        let query = sqlx::query("SELECT * FROM tasks WHERE id = ?").bind(id);
        let row = self.lookups.first(query).await?;
        row.as_ref().map(row::task).transpose()
    }

    fn writes(&self) -> Option<u64> {
        Some(self.writer.commits())
    }

    async fn check(&self) -> Result<()> {
        self.lookups.one(sqlx::query("SELECT one FROM app")).await?;
        // Writes nothing, but needs the lock.
        self.begin().await?.commit().await
    }

    async fn close(&self) {
        self.lookups.close().await;
        self.readers.close().await;
        self.writer.close().await;
        if let Some(lock) = &self.lock {
            lock.release();
        }
    }
}
