//! `/users`: creating, changing and finding users.

use std::borrow::Borrow;
use std::collections::HashMap;

use axum::extract::State;
use rollcall_protocol::limits;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::call::Call;
use super::flag::Flag;
use super::path::Path;
use super::people::Viewer;
use super::reply::Reply;
use super::{app, events, lifecycle, subscription, tell};
use crate::auth::Caller;
use crate::bus::Audience;
use crate::error::ApiError;
use crate::presence::ConnectionId;
use crate::presence::watchers::Scope;
use crate::profile::fields;
use crate::query::{Filter, IdRange, Limits, Sort, UserQuery};
use crate::state::{App, AppState};
use crate::store::{self, Change, Timestamp, User, UserChange, Written};
use crate::wire;

#[derive(Deserialize)]
struct Upsert {
    users: Map<String, Value>,
}

/// `POST /users`: creates users, or merges into those that exist. All or none.
pub async fn upsert(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    let Upsert { users } = call.input()?;
    let mut changes = Vec::with_capacity(users.len());
    for (key, user) in users {
        let Value::Object(user) = user else {
            return Err(ApiError::input(format!("users[{key}] expects type object")));
        };
        let change = fields::from_user(user)?;
        if change.id != key {
            return Err(ApiError::input(format!("users[{key}].id is {:?}, they must be the same", change.id)));
        }
        changes.push(change);
    }
    check(&app, &call.caller, &changes, "UpdateUser").await?;
    let written = app.upsert_users(&changes).await?;
    Ok(Reply::created(&users_by_id(&app, &call, written).await))
}

#[derive(Deserialize)]
struct Update {
    users: Vec<PartialUser>,
}

#[derive(Deserialize)]
struct PartialUser {
    id: String,
    #[serde(default)]
    set: Map<String, Value>,
    #[serde(default)]
    unset: Vec<String>,
}

/// `PATCH /users`: sets and removes single fields of users that exist. All or none.
pub async fn update(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    let Update { users } = call.input()?;
    let revocations = revocations(&call.caller, &users)?;
    let changes = users.into_iter().map(|user| fields::from_partial(&user.id, user.set, &user.unset));
    let changes: Vec<UserChange> = changes.collect::<Result<_, _>>()?;
    check(&app, &call.caller, &changes, "UpdateUser").await?;
    let mut written = app.update_users(&changes).await?;
    for (id, before) in revocations {
        let user = app.revoke_user_tokens(&id, before).await?;
        written.iter_mut().filter(|written| written.after.id == id).for_each(|written| written.after = user.clone());
    }
    Ok(Reply::ok(&users_by_id(&app, &call, written).await))
}

const REVOKE: &str = "revoke_tokens_issued_before";

/// Whose tokens a server-side caller declares void, if issued before when.
fn revocations(caller: &Caller, users: &[PartialUser]) -> Result<Vec<(String, Option<Timestamp>)>, ApiError> {
    let mut revocations = Vec::new();
    for user in users.iter().filter(|_| *caller == Caller::Server) {
        if let Some(before) = user.set.get(REVOKE) {
            revocations.push((user.id.clone(), app::time(REVOKE, before)?));
        } else if user.unset.iter().any(|key| key == REVOKE) {
            revocations.push((user.id.clone(), None));
        }
    }
    Ok(revocations)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Query {
    filter_conditions: Value,
    sort: Value,
    limit: Option<usize>,
    offset: usize,
    presence: Option<Flag>,
    include_deactivated_users: Flag,
    id_gt: Option<String>,
    id_gte: Option<String>,
    id_lt: Option<String>,
    id_lte: Option<String>,
}

#[derive(Serialize)]
struct Found<'a> {
    users: Vec<wire::User<'a>>,
    /// Users whose presence the connection does not hear of, because it hears of as many as it may.
    #[serde(skip_serializing_if = "is_zero")]
    presence_omitted: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// `GET /users`: a page of users; with `presence` the connection hears of their changes from now on.
pub async fn query(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    let query: Query = call.input()?;
    let connection = match query.presence {
        Some(Flag(true)) => Some(subscription::require_connection(&app, &call).await?),
        Some(Flag(false)) => None,
        None => subscription::connection(&app, &call).await?,
    };
    let writes = app.store.writes();
    let users = app.store.query_users(&query.into_store(&app.config.limits.filter())?).await?;
    page(&app, &call, Seen { users, writes }, connection).await
}

#[derive(Deserialize)]
struct ById {
    ids: Vec<String>,
}

/// `POST /rollcall/users`: these users, of whose changes the connection hears from now on.
pub async fn by_id(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    let ById { ids } = call.input()?;
    if ids.len() > limits::USERS_BY_ID {
        return Err(ApiError::input(format!("ask for at most {} users", limits::USERS_BY_ID)));
    }
    let connection = subscription::require_connection(&app, &call).await?;
    let writes = app.store.writes();
    let mut users = app.store.users(&ids).await?;
    users.retain(|user| user.deleted_at.is_none() && user.deactivated_at.is_none());
    page(&app, &call, Seen { users, writes }, Some(connection)).await
}

/// Users as they were when the store had so many [`writes`](store::AppStore::writes).
struct Seen {
    users: Vec<User>,
    writes: Option<u64>,
}

/// The answer that shows these; the `connection`, if there is one, hears of their changes.
async fn page(
    app: &App,
    call: &Call,
    Seen { mut users, writes }: Seen,
    connection: Option<ConnectionId>,
) -> Result<Reply, ApiError> {
    let mut omitted: usize = 0;
    if let Some(connection) = connection {
        let ids = users.iter().map(|user| user.id.as_str().into()).collect();
        omitted = app.hub.subscribe_presence(connection, vec![(Scope::Users, ids)]).await?.into_iter().sum();
        // Nobody told the connection of what was written in between.
        if writes.is_none() || writes != app.store.writes() {
            let ids: Vec<String> = users.iter().map(|user| user.id.clone()).collect();
            let places: HashMap<&str, usize> = ids.iter().enumerate().map(|(place, id)| (id.as_str(), place)).collect();
            users = app.store.users(&ids).await?;
            users.sort_by_key(|user| places.get(user.id.as_str()));
        }
    }
    let viewer = Viewer::of(app, &call.caller, &users).await;
    let users: Vec<_> = users.iter().map(|user| viewer.profile(user)).collect();
    Ok(Reply::ok(&Found { users, presence_omitted: omitted }))
}

impl Query {
    fn into_store(self, filter: &Limits) -> Result<UserQuery, ApiError> {
        let limit = self.limit.unwrap_or(limits::USERS_DEFAULT);
        if limit > limits::USERS_PER_REQUEST {
            return Err(ApiError::input(format!("limit must be at most {}", limits::USERS_PER_REQUEST)));
        }
        Ok(UserQuery {
            filter: Filter::parse(&self.filter_conditions, filter)?,
            sort: Sort::parse(&self.sort)?,
            ids: IdRange { gt: self.id_gt, gte: self.id_gte, lt: self.id_lt, lte: self.id_lte },
            include_deactivated: self.include_deactivated_users.0,
            limit: limit as u32,
            offset: super::call::offset(self.offset)?,
        })
    }
}

#[derive(Deserialize)]
struct SendEvent {
    event: CustomEvent,
}

#[derive(Deserialize)]
struct CustomEvent {
    #[serde(rename = "type")]
    kind: String,
    #[serde(flatten)]
    custom: Map<String, Value>,
}

/// `POST /users/{id}/event`: a custom event to a user's own connections.
pub async fn send_event(State(app): State<AppState>, Path(id): Path<String>, call: Call) -> Result<Reply, ApiError> {
    call.require_server()?;
    let SendEvent { event } = call.input()?;
    if event.kind.is_empty() || event.kind.contains('.') {
        return Err(ApiError::input("the type of a custom event is a word without a dot"));
    }
    events::custom_name(&event.kind)?;
    let user = app.store.user(&id).await?.filter(|user| user.deleted_at.is_none());
    let user = user.ok_or_else(|| lifecycle::no_such_user(&id))?;
    let event = wire::Event {
        user: Some(wire::User::public(&user, app.hub.presence_of(vec![id.as_str().into()]).await.of(&id).online)),
        custom: Some(&tell::without_built_in(event.custom)),
        ..wire::Event::new(&event.kind, store::now())
    };
    tell::publish(&app, Audience::Users(vec![id.as_str().into()]), &event)?;
    Ok(Reply::created(&json!({})))
}

/// Refuses what this caller may not write, before anything is written.
async fn check(app: &App, caller: &Caller, changes: &[UserChange], action: &str) -> Result<(), ApiError> {
    let most = app.config.limits.users_per_upsert;
    if changes.is_empty() || changes.len() > most {
        return Err(ApiError::input(format!("send 1 to {most} users")));
    }
    let id = match caller {
        Caller::Server => return Ok(()),
        Caller::Anonymous => return Err(ApiError::not_allowed("anonymous users are not allowed to change users")),
        Caller::User(id) => id,
    };
    let own: Option<User> = app.store.user(id).await?;
    let role = own.as_ref().map_or("user", |user| user.role.as_str());
    let refuse = |action| {
        let message = format!("User '{id}' with role '{role}' is not allowed to perform action {action}");
        Err(ApiError::not_allowed(message))
    };
    for change in changes {
        if change.id != **id {
            return refuse(action);
        }
        // SDKs echo role and teams along: only a change of them is refused.
        if !keeps(&change.role, role) {
            return refuse("UpdateUserRole");
        }
        let teams = own.as_ref().map_or(&[][..], |user| user.teams.as_slice());
        if !keeps(&change.teams, teams) {
            return refuse("UpdateUserTeams");
        }
    }
    Ok(())
}

fn keeps<T: Borrow<U>, U: PartialEq + ?Sized>(change: &Change<T>, current: &U) -> bool {
    match change {
        Change::Keep => true,
        Change::Set(value) => value.borrow() == current,
        Change::Clear => false,
    }
}

async fn users_by_id(app: &App, call: &Call, written: Vec<Written<User>>) -> Value {
    let users: Vec<User> = written.into_iter().map(|written| written.after).collect();
    let viewer = Viewer::of(app, &call.caller, &users).await;
    let users = users.iter().map(|user| (user.id.clone(), json!(viewer.profile(user))));
    json!({ "users": users.collect::<Map<_, _>>() })
}
