//! What concerns the application as a whole.

use rollcall_server::store::{Task, TaskStatus};
use serde_json::json;

use crate::{Database, at, create_users};

stories!(revoked_tokens_and_tasks_are_remembered, what_was_written_counts);

async fn revoked_tokens_and_tasks_are_remembered(database: Database) {
    let store = database.open().await;
    create_users(&store, &["ada"]).await;
    store.revoke_tokens(Some(at(1))).await.unwrap();
    store.revoke_user_tokens("ada", Some(at(2))).await.unwrap();
    let task = Task {
        id: "t1".to_owned(),
        status: TaskStatus::Running,
        result: json!({}),
        created_at: at(1),
        updated_at: at(1),
    };
    store.put_task(&task).await.unwrap();
    let task = Task { status: TaskStatus::Completed, result: json!({ "ada": { "status": "ok" } }), ..task };
    store.put_task(&task).await.unwrap();
    store.close().await;

    let store = database.open().await;
    assert_eq!(store.tokens_revoked_before().await.unwrap(), Some(at(1)));
    let ada = store.user("ada").await.unwrap().unwrap();
    assert_eq!(ada.revoke_tokens_issued_before, Some(at(2)));
    assert_eq!(store.task("t1").await.unwrap(), Some(task));
    store.revoke_tokens(None).await.unwrap();
    assert_eq!(store.tokens_revoked_before().await.unwrap(), None);
}

async fn what_was_written_counts(database: Database) {
    let store = database.open().await;
    let before = store.writes();
    store.users(&["ada".to_owned()]).await.unwrap();
    assert_eq!(store.writes(), before);
    create_users(&store, &["ada"]).await;
    match database.url.starts_with("postgres") {
        // Somebody else may have written.
        true => assert_eq!(store.writes(), None),
        false => assert!(store.writes() > before),
    }
}
