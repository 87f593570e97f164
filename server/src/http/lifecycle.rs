//! How users end and come back: deleting, deactivating, restoring. Server-side only.

use axum::extract::State;
use rollcall_protocol::{close, event, limits};
use serde::Deserialize;
use serde_json::json;

use super::call::Call;
use super::flag::Flag;
use super::path::Path;
use super::people::Viewer;
use super::reply::Reply;
use super::{channel_updates, tasks, tell};
use crate::bus::Audience;
use crate::error::ApiError;
use crate::presence::UserId;
use crate::state::{App, AppState};
use crate::store::{self, User};
use crate::wire;

/// `DELETE /users/{id}`.
pub async fn delete(State(app): State<AppState>, Path(id): Path<String>, call: Call) -> Result<Reply, ApiError> {
    call.require_server()?;
    let deletion = wire::Deletion {
        hard_delete: call.flag("hard_delete")?,
        mark_messages_deleted: call.flag("mark_messages_deleted")?,
        delete_conversation_channels: call.flag("delete_conversation_channels")?,
    };
    let user = delete_user(&app, &id, deletion).await?;
    Ok(Reply::ok(&json!({ "user": Viewer::of(&app, &call.caller, std::slice::from_ref(&user)).await.profile(&user) })))
}

#[derive(Deserialize)]
struct DeleteMany {
    user_ids: Vec<String>,
    user: Option<How>,
    messages: Option<How>,
    conversations: Option<How>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum How {
    Soft,
    Pruning,
    Hard,
}

/// `POST /users/delete`: deletes users one by one, as a task.
pub async fn delete_many(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    call.require_server()?;
    let request: DeleteMany = call.input()?;
    check_count(&request.user_ids)?;
    // What cannot be undone is never guessed.
    let user = request.user.ok_or_else(|| ApiError::input("field \"user\" must be one of soft, pruning, hard"))?;
    let deletion = wire::Deletion {
        hard_delete: user == How::Hard,
        mark_messages_deleted: request.messages.is_some() || user == How::Pruning,
        delete_conversation_channels: request.conversations.is_some(),
    };
    let mut outcomes = tasks::Outcomes::default();
    for id in request.user_ids {
        let outcome = delete_user(&app, &id, deletion).await;
        outcomes.add(id, outcome.map(drop));
    }
    tasks::finish(&app, outcomes).await
}

async fn delete_user(app: &App, id: &str, deletion: wire::Deletion) -> Result<User, ApiError> {
    if deletion.delete_conversation_channels {
        delete_conversations(app, id).await?;
    }
    let ids = [id.to_owned()];
    let _guards = app.profiles.lock([id]).await;
    let now = store::now();
    let mut users = match deletion.hard_delete {
        true => app.store.erase_users(&ids).await?,
        false => app.store.delete_users(&ids, deletion.mark_messages_deleted, now).await?,
    };
    let mut user = users.pop().ok_or_else(|| no_such_user(id))?;
    user.deleted_at = user.deleted_at.or(Some(now));
    let user_id: UserId = id.into();
    let event = wire::Event {
        user: Some(wire::User::public(&user, false)),
        deletion: Some(deletion),
        ..wire::Event::new(event::USER_DELETED, now)
    };
    tell::publish(app, Audience::Presence(user_id.clone()), &event)?;
    app.hub.expel(&user_id, close::POLICY);
    Ok(user)
}

/// Channels of two people, of whom one is going.
async fn delete_conversations(app: &App, id: &str) -> Result<(), ApiError> {
    let cids = app.store.channels_of(id).await?;
    for channel in app.store.channels(&cids).await? {
        if channel.member_count <= 2 {
            channel_updates::delete_channel(app, &channel, false).await?;
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Many {
    user_ids: Vec<String>,
    #[serde(default)]
    mark_messages_deleted: Flag,
    #[serde(default)]
    restore_messages: Flag,
}

/// `POST /users/restore`: undoes a soft deletion.
pub async fn restore_many(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    call.require_server()?;
    let Many { user_ids, .. } = call.input()?;
    check_count(&user_ids)?;
    let _guards = app.profiles.lock(user_ids.iter().map(String::as_str)).await;
    app.store.restore_users(&user_ids, store::now()).await?;
    Ok(Reply::created(&json!({})))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Deactivation {
    mark_messages_deleted: Flag,
}

/// `POST /users/{id}/deactivate`: the user keeps their data but may not connect.
pub async fn deactivate(State(app): State<AppState>, Path(id): Path<String>, call: Call) -> Result<Reply, ApiError> {
    call.require_server()?;
    let request: Deactivation = call.input()?;
    let user = deactivate_user(&app, &id, request.mark_messages_deleted.0).await?;
    Ok(Reply::created(
        &json!({ "user": Viewer::of(&app, &call.caller, std::slice::from_ref(&user)).await.profile(&user) }),
    ))
}

/// `POST /users/deactivate`: as a task.
pub async fn deactivate_many(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    call.require_server()?;
    let request: Many = call.input()?;
    check_count(&request.user_ids)?;
    let mut outcomes = tasks::Outcomes::default();
    for id in request.user_ids {
        let outcome = deactivate_user(&app, &id, request.mark_messages_deleted.0).await;
        outcomes.add(id, outcome.map(drop));
    }
    tasks::finish(&app, outcomes).await
}

async fn deactivate_user(app: &App, id: &str, with_messages: bool) -> Result<User, ApiError> {
    let user_id: UserId = id.into();
    let _guards = app.profiles.lock([id]).await;
    let users = app.store.deactivate_users(&[id.to_owned()], with_messages, store::now()).await?;
    app.hub.user_updated(&user_id);
    app.hub.share_change(&user_id, true);
    app.hub.expel(&user_id, close::POLICY);
    users.into_iter().next().ok_or_else(|| no_such_user(id))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reactivation {
    restore_messages: Flag,
    name: Option<String>,
}

/// `POST /users/{id}/reactivate`.
pub async fn reactivate(State(app): State<AppState>, Path(id): Path<String>, call: Call) -> Result<Reply, ApiError> {
    call.require_server()?;
    let request: Reactivation = call.input()?;
    let mut user = reactivate_user(&app, &id, request.restore_messages.0).await?;
    if let Some(name) = request.name {
        let change = store::UserChange { name: store::Change::Set(name), ..store::UserChange::of(id) };
        if let Some(written) = app.update_users(&[change]).await?.pop() {
            user = written.after;
        }
    }
    Ok(Reply::created(
        &json!({ "user": Viewer::of(&app, &call.caller, std::slice::from_ref(&user)).await.profile(&user) }),
    ))
}

/// `POST /users/reactivate`: as a task.
pub async fn reactivate_many(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    call.require_server()?;
    let request: Many = call.input()?;
    check_count(&request.user_ids)?;
    let mut outcomes = tasks::Outcomes::default();
    for id in request.user_ids {
        let outcome = reactivate_user(&app, &id, request.restore_messages.0).await;
        outcomes.add(id, outcome.map(drop));
    }
    tasks::finish(&app, outcomes).await
}

async fn reactivate_user(app: &App, id: &str, with_messages: bool) -> Result<User, ApiError> {
    let _guards = app.profiles.lock([id]).await;
    let users = app.store.reactivate_users(&[id.to_owned()], with_messages, store::now()).await?;
    app.hub.user_updated(&id.into());
    app.hub.share_change(&id.into(), true);
    users.into_iter().next().ok_or_else(|| no_such_user(id))
}

fn check_count(ids: &[String]) -> Result<(), ApiError> {
    match (1..=limits::USERS_PER_REQUEST).contains(&ids.len()) {
        true => Ok(()),
        false => Err(ApiError::input(format!("user_ids must name 1 to {} users", limits::USERS_PER_REQUEST))),
    }
}

/// There is nobody of this id.
pub fn no_such_user(id: &str) -> ApiError {
    ApiError::not_found(format!("Can't find user with id {id}"))
}
