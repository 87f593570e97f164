//! `/guest`: people who come without an account.

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::Call;
use super::people::Viewer;
use super::reply::Reply;
use crate::error::ApiError;
use crate::profile::fields;
use crate::state::AppState;
use crate::store::{Change, UserChange};

#[derive(Deserialize)]
struct Guest {
    user: Map<String, Value>,
}

/// `POST /guest`: a new user of role `guest`, with a token. When the id is taken the guest gets
/// another one that ends with it: a guest must never become somebody who is there already.
pub async fn create(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    let Guest { user } = call.input()?;
    let mut change =
        UserChange { role: Change::Set("guest".to_owned()), teams: Change::Keep, ..fields::from_user(user)? };
    let guest = loop {
        if let Some(guest) = app.create_user(&change).await? {
            break guest;
        }
        let id = format!("guest-{}-{}", Uuid::new_v4(), change.id);
        change.id = fields::checked_id(&id)?.to_owned();
    };
    Ok(Reply::created(&json!({
        "user": Viewer::of(&app, &call.caller, std::slice::from_ref(&guest)).await.user(&guest),
        "access_token": app.authenticator.token_for(&guest.id),
    })))
}
