//! Work on many things at once, asked about afterwards.
//!
//! Requests name a hundred things at most, so the work is done before the reply; a task is the
//! record of what came of it.

use axum::extract::State;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::Call;
use super::path::Path;
use super::reply::Reply;
use crate::error::ApiError;
use crate::state::{App, AppState};
use crate::store::{self, Task, TaskStatus};

/// What came of each thing, by its id.
#[derive(Default)]
pub struct Outcomes(Map<String, Value>);

impl Outcomes {
    pub fn add(&mut self, id: String, outcome: Result<(), ApiError>) {
        let outcome = match outcome {
            Ok(()) => json!({ "status": "ok" }),
            Err(error) => json!({
                "status": "failed",
                "error": { "type": error.code().number().to_string(), "description": error.message() },
            }),
        };
        self.0.insert(id, outcome);
    }

    /// `ok` or `failed` for each thing.
    pub fn statuses(&self) -> Map<String, Value> {
        self.0.iter().map(|(id, outcome)| (id.clone(), outcome["status"].clone())).collect()
    }
}

/// Records a finished task and answers with its id.
pub async fn finish(app: &App, outcomes: Outcomes) -> Result<Reply, ApiError> {
    Ok(Reply::created(&json!({ "task_id": record(app, outcomes).await? })))
}

/// Records a finished task and returns its id.
pub async fn record(app: &App, Outcomes(outcomes): Outcomes) -> Result<String, ApiError> {
    let now = store::now();
    let task = Task {
        id: Uuid::new_v4().to_string(),
        status: TaskStatus::Completed,
        result: Value::Object(outcomes),
        created_at: now,
        updated_at: now,
    };
    app.store.put_task(&task).await?;
    Ok(task.id)
}

/// `GET /tasks/{id}`.
pub async fn get(State(app): State<AppState>, Path(id): Path<String>, call: Call) -> Result<Reply, ApiError> {
    call.require_server()?;
    let task = app.store.task(&id).await?;
    let task = task.ok_or_else(|| ApiError::not_found(format!("Can't find task with id {id}")))?;
    Ok(Reply::ok(&json!({
        "task_id": task.id,
        "status": task.status.as_str(),
        "result": task.result,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
    })))
}
