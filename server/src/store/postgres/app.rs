use async_trait::async_trait;
use jiff::Timestamp;

use super::PostgresStore;
use crate::store::row::{self, Columns, micros};
use crate::store::{AppStore, Result, Task};

#[async_trait]
impl AppStore for PostgresStore {
    async fn tokens_revoked_before(&self) -> Result<Option<Timestamp>> {
        let query = sqlx::query("SELECT tokens_revoked_before FROM app");
        query.fetch_one(&self.readers).await?.optional_time("tokens_revoked_before")
    }

    async fn revoke_tokens(&self, before: Option<Timestamp>) -> Result<()> {
        let query = sqlx::query("UPDATE app SET tokens_revoked_before = $1").bind(micros(before));
        query.execute(&self.writers).await?;
        Ok(())
    }

    async fn put_task(&self, task: &Task) -> Result<()> {
        let sql = "INSERT INTO tasks (id, status, result, created_at, updated_at)
            VALUES ($1, $2, $3::json, $4, $5)
            ON CONFLICT (id) DO UPDATE SET status = excluded.status, result = excluded.result,
                updated_at = excluded.updated_at";
        sqlx::query(sql)
            .bind(&task.id)
            .bind(task.status.as_str())
            .bind(task.result.to_string())
            .bind(task.created_at.as_microsecond())
            .bind(task.updated_at.as_microsecond())
            .execute(&self.writers)
            .await?;
        Ok(())
    }

    async fn task(&self, id: &str) -> Result<Option<Task>> {
        let query = sqlx::query("SELECT * FROM tasks WHERE id = $1").bind(id);
        let row = query.fetch_optional(&self.readers).await?;
        row.as_ref().map(row::task).transpose()
    }

    fn writes(&self) -> Option<u64> {
        None
    }

    async fn check(&self) -> Result<()> {
        sqlx::query("SELECT one FROM app").fetch_one(&self.readers).await?;
        // Writes nothing, but a database that may not be written refuses it.
        sqlx::query("SELECT one FROM app FOR KEY SHARE").fetch_one(&self.writers).await?;
        Ok(())
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }
}
