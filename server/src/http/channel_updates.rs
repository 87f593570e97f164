//! Changing channels, deleting them, and hiding them from oneself.

use axum::extract::State;
use rollcall_protocol::{event, limits};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::channel_data::{self, ChannelData};
use super::flag::Flag;
use super::members::{self, Membership};
use super::messages::{self, MessageInput};
use super::path::Path;
use super::people::People;
use super::reply::Reply;
use super::tell::Teller;
use super::{access, channels, tasks};
use crate::error::ApiError;
use crate::query;
use crate::state::{App, AppState};
use crate::store::{self, Change, Channel, ChannelChange, CustomChange};
use crate::wire;

#[derive(Deserialize)]
struct Update {
    data: Option<Map<String, Value>>,
    message: Option<MessageInput>,
    #[serde(flatten)]
    membership: Membership,
}

/// `POST /channels/{type}/{id}`: replaces the channel's data, changes its members, or both.
pub async fn update(
    State(app): State<AppState>,
    Path((kind, id)): Path<(String, String)>,
    call: Call,
) -> Result<Reply, ApiError> {
    let Update { data, message, membership } = call.input()?;
    let channel = channels::find(&app, &kind, &id).await?;
    // Whatever is asked for, the answer shows the channel.
    access::read(&app, &call, &channel).await?;
    if let Some(data) = data {
        access::manage(&app, &call, &channel, "UpdateChannel").await?;
        let change = ChannelData::parse(data)?.into_change();
        change_channel(&app, &call, &channel, &change).await?;
    }
    members::update(&app, &call, &channel, membership).await?;
    let channel = channels::find(&app, &kind, &id).await?;
    let message = match message {
        Some(message) => Some(messages::write(&app, &call, &channel, message).await?),
        None => None,
    };
    reply(&app, &call, &channel, message.as_ref()).await.map(Reply::into_created)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Partial {
    set: Map<String, Value>,
    unset: Vec<String>,
}

/// `PATCH /channels/{type}/{id}`: sets and removes single fields.
pub async fn update_partial(
    State(app): State<AppState>,
    Path((kind, id)): Path<(String, String)>,
    call: Call,
) -> Result<Reply, ApiError> {
    let change = read_partial(call.input()?)?;
    let channel = channels::find(&app, &kind, &id).await?;
    access::manage(&app, &call, &channel, "UpdateChannel").await?;
    let channel = change_channel(&app, &call, &channel, &change).await?;
    reply(&app, &call, &channel, None).await
}

fn read_partial(Partial { set, unset }: Partial) -> Result<ChannelChange, ApiError> {
    let path = |key: &str| {
        let path = query::Path::dotted(key);
        path.ok_or_else(|| ApiError::input(format!("{key:?} is not the name of a field")))
    };
    let mut change = ChannelChange::default();
    for (key, value) in set {
        let wrong = |expected| ApiError::input(format!("field {key:?} expects type {expected}"));
        match (key.as_str(), value) {
            ("team", Value::String(team)) => change.team = Change::Set(team),
            ("team", _) => return Err(wrong("string")),
            ("frozen", Value::Bool(frozen)) => change.frozen = Change::Set(frozen),
            ("disabled", Value::Bool(disabled)) => change.disabled = Change::Set(disabled),
            ("frozen" | "disabled", _) => return Err(wrong("boolean")),
            _ if channel_data::is_channel_field(&key) => return Err(reserved(&key)),
            (_, value) => change.custom.push(CustomChange::Set(path(&key)?, value)),
        }
    }
    for key in unset {
        match key.as_str() {
            "team" => change.team = Change::Clear,
            "frozen" => change.frozen = Change::Clear,
            "disabled" => change.disabled = Change::Clear,
            _ if channel_data::is_channel_field(&key) => return Err(reserved(&key)),
            _ => change.custom.push(CustomChange::Unset(path(&key)?)),
        }
    }
    Ok(change)
}

/// Nobody names a single field by accident, as SDKs do when they send back a whole channel.
fn reserved(key: &str) -> ApiError {
    ApiError::input(format!("field {key:?} is reserved"))
}

async fn change_channel(
    app: &App,
    call: &Call,
    channel: &Channel,
    change: &ChannelChange,
) -> Result<Channel, ApiError> {
    let written = app.store.update_channel(&channel.cid, change, store::now()).await?;
    if written.is_changed() {
        let by = call.acting_user();
        let page = app.store.members_of(std::slice::from_ref(&channel.cid), FEW_MEMBERS, 0).await?;
        let ids = page.iter().map(|member| &*member.user_id).chain(by);
        let teller = Teller::new(app, &written.after, ids).await?;
        let shown = page.iter().map(|member| teller.member(member)).collect();
        teller.watchers(&wire::Event {
            channel: Some(teller.channel().with_members(shown)),
            channel_member_count: Some(written.after.member_count),
            user: by.and_then(|id| teller.user(id)),
            ..teller.event(event::CHANNEL_UPDATED)
        })?;
    }
    Ok(written.after)
}

/// Members that `channel.updated` shows: it goes to everybody who watches.
const FEW_MEMBERS: u32 = limits::MEMBERS_PER_CHANNEL_QUERY as u32;

async fn reply(app: &App, call: &Call, channel: &Channel, message: Option<&store::Message>) -> Result<Reply, ApiError> {
    let members = app.store.members_of(std::slice::from_ref(&channel.cid), FEW_MEMBERS, 0).await?;
    let creator = channel.created_by_id.as_deref();
    let ids = members.iter().map(|member| &*member.user_id).chain(creator);
    let people = People::load(app, &call.caller, ids.chain(message.map(|message| &*message.user_id))).await?;
    let own = match call.acting_user() {
        Some(id) => app.store.members(&channel.cid, &[id.to_owned()]).await?.pop(),
        None => None,
    };
    let own = own.as_ref();
    let shown = members
        .iter()
        .map(|member| wire::Member::public(member, people.get(&member.user_id), creator == Some(&*member.user_id)));
    let shape = wire::Channel::new(channel, creator.and_then(|id| people.get(id)));
    let mut body = json!({
        "channel": shape.for_caller(own.is_some_and(|member| member.hidden), access::standing(call, channel, own)),
        "members": shown.collect::<Vec<_>>(),
    });
    if let Some(message) = message
        && let Some(author) = people.get(&message.user_id)
    {
        body["message"] = json!(wire::Message::new(message, author));
    }
    Ok(Reply::ok(&body))
}

/// `DELETE /channels/{type}/{id}`: with `hard_delete` for good.
pub async fn delete(
    State(app): State<AppState>,
    Path((kind, id)): Path<(String, String)>,
    call: Call,
) -> Result<Reply, ApiError> {
    let channel = channels::find(&app, &kind, &id).await?;
    access::manage(&app, &call, &channel, "DeleteChannel").await?;
    let channel = delete_channel(&app, &channel, call.flag("hard_delete")?).await?;
    let people = People::load(&app, &call.caller, channel.created_by_id.as_deref()).await?;
    let creator = channel.created_by_id.as_deref().and_then(|id| people.get(id));
    let standing = access::standing(&call, &channel, None);
    Ok(Reply::ok(&json!({ "channel": wire::Channel::new(&channel, creator).for_caller(false, standing) })))
}

#[derive(Deserialize)]
struct DeleteMany {
    cids: Vec<String>,
    #[serde(default)]
    hard_delete: Flag,
}

/// `POST /channels/delete`: as a task.
pub async fn delete_many(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    call.require_server()?;
    let DeleteMany { cids, hard_delete } = call.input()?;
    if !(1..=limits::USERS_PER_REQUEST).contains(&cids.len()) {
        return Err(ApiError::input(format!("cids must name 1 to {} channels", limits::USERS_PER_REQUEST)));
    }
    let mut outcomes = tasks::Outcomes::default();
    for cid in cids {
        let outcome = async {
            let (kind, id) = cid.split_once(':').ok_or_else(|| ApiError::input("a cid is type:id"))?;
            let channel = channels::find(&app, kind, id).await?;
            delete_channel(&app, &channel, hard_delete.0).await
        };
        let outcome = outcome.await.map(drop);
        outcomes.add(cid, outcome);
    }
    let result = outcomes.statuses();
    Ok(Reply::created(&json!({ "task_id": tasks::record(&app, outcomes).await?, "result": result })))
}

/// Deletes a channel and tells those who watch it and those who belong to it.
pub async fn delete_channel(app: &App, channel: &Channel, for_good: bool) -> Result<Channel, ApiError> {
    let member_ids = app.store.member_ids(&channel.cid).await?;
    let cids = [channel.cid.clone()];
    let now = store::now();
    let deleted = match for_good {
        true => app.store.erase_channels(&cids).await?,
        false => app.store.delete_channels(&cids, now).await?,
    };
    let mut channel = deleted.into_iter().next().unwrap_or_else(|| channel.clone());
    channel.deleted_at = channel.deleted_at.or(Some(now));
    Teller::new(app, &channel, []).await?.deleted(&member_ids)?;
    app.hub.forget_channel(&channel.cid.as_str().into()).await;
    Ok(channel)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Hide {
    clear_history: Flag,
}

/// `POST /channels/{type}/{id}/hide`: until somebody writes, the caller's queries leave it out.
pub async fn hide(
    State(app): State<AppState>,
    Path((kind, id)): Path<(String, String)>,
    call: Call,
) -> Result<Reply, ApiError> {
    let Hide { clear_history } = call.input()?;
    let channel = channels::find(&app, &kind, &id).await?;
    let me = call.require_user()?;
    app.store.hide_channel(&channel.cid, me, clear_history.0, store::now()).await?;
    let teller = Teller::new(&app, &channel, [me]).await?;
    teller.user_alone(
        me,
        &wire::Event { clear_history: Some(clear_history.0), ..own(&teller, event::CHANNEL_HIDDEN, me) },
    )?;
    Ok(Reply::created(&json!({})))
}

/// `POST /channels/{type}/{id}/show`: undoes hiding.
pub async fn show(
    State(app): State<AppState>,
    Path((kind, id)): Path<(String, String)>,
    call: Call,
) -> Result<Reply, ApiError> {
    let channel = channels::find(&app, &kind, &id).await?;
    let me = call.require_user()?;
    app.store.show_channel(&channel.cid, me, store::now()).await?;
    let teller = Teller::new(&app, &channel, [me]).await?;
    teller.user_alone(me, &own(&teller, event::CHANNEL_VISIBLE, me))?;
    Ok(Reply::created(&json!({})))
}

/// What somebody did with the channel for themselves.
fn own<'t>(teller: &'t Teller<'_>, kind: &'t str, me: &str) -> wire::Event<'t> {
    wire::Event { channel: Some(teller.channel()), user: teller.user(me), ..teller.event(kind) }
}
