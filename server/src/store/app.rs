use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::Result;

/// Work that a caller asked for and may ask about.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub id: String,
    pub status: TaskStatus,
    /// What came of it, in the shape the wire wants.
    pub result: Value,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// How far a task has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskStatus {
    Running,
    Completed,
    Failed,
}

impl TaskStatus {
    /// The word for it on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            TaskStatus::Running => "running",
            TaskStatus::Completed => "completed",
            TaskStatus::Failed => "failed",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [TaskStatus::Running, TaskStatus::Completed, TaskStatus::Failed]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

/// What concerns the application as a whole.
#[async_trait]
pub trait AppStore: Send + Sync {
    /// Tokens issued before this time are refused, whoever they are for.
    async fn tokens_revoked_before(&self) -> Result<Option<Timestamp>>;

    /// Sets [`tokens_revoked_before`](Self::tokens_revoked_before); `None` accepts them again.
    async fn revoke_tokens(&self, before: Option<Timestamp>) -> Result<()>;

    /// Writes a task, new or known.
    async fn put_task(&self, task: &Task) -> Result<()>;

    async fn task(&self, id: &str) -> Result<Option<Task>>;

    /// How often something was written so far; nothing was while this stays the same. `None` when others
    /// may write as well.
    fn writes(&self) -> Option<u64>;

    /// Whether the database answers.
    async fn check(&self) -> Result<()>;

    /// Finishes what is under way and lets go of the database.
    async fn close(&self);
}
