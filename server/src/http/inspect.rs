//! `/rollcall/users/{id}/presence`: why somebody is online, or is not.

use axum::extract::State;
use rollcall_protocol::ErrorCode;
use serde::Serialize;
use serde_json::json;

use super::call::Call;
use super::lifecycle;
use super::path::Path;
use super::reply::Reply;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::state::AppState;
use crate::store::Timestamp;
use crate::wire::inspection::Inspection;

#[derive(Serialize)]
struct Answer<'a> {
    user_id: &'a str,
    invisible: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_active: Option<Timestamp>,
    #[serde(flatten)]
    presence: Inspection,
}

/// `GET /rollcall/users/{id}/presence`: the user's connections, grace and last transitions. It
/// shows who hides, and is therefore for the user and the server-side only.
pub async fn presence(State(app): State<AppState>, Path(id): Path<String>, call: Call) -> Result<Reply, ApiError> {
    match &call.caller {
        Caller::Server => {}
        Caller::User(own) if **own == *id => {}
        Caller::User(_) | Caller::Anonymous => {
            let message = "why somebody is online is for that user, and for a server-side token";
            return Err(ApiError::new(ErrorCode::NotAllowed, message));
        }
    }
    let user = app.store.user(&id).await?.ok_or_else(|| lifecycle::no_such_user(&id))?;
    let presence = app.hub.inspect(&id);
    let answer = Answer { user_id: &user.id, invisible: user.invisible, last_active: user.last_active, presence };
    Ok(Reply::ok(&json!({ "presence": answer })))
}
