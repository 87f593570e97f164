//! Members: who belongs to a channel, in which role, and invitations.

use axum::extract::State;
use rollcall_protocol::{event, limits};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::{self, Call};
use super::channel_data::{self, parse_members};
use super::flag::Flag;
use super::path::Path;
use super::people::People;
use super::reply::Reply;
use super::tell::Teller;
use super::{access, channels};
use crate::error::ApiError;
use crate::query::{Filter, IdRange, MemberQuery, Path as FieldPath, Sort};
use crate::readers;
use crate::state::{App, AppState};
use crate::store::{self, Change, Channel, CustomChange, Invite, Member, MemberChange, NewMember};
use crate::wire;

/// What a channel update says about members.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Membership {
    add_members: Value,
    invites: Value,
    remove_members: Vec<String>,
    add_moderators: Vec<String>,
    demote_moderators: Vec<String>,
    assign_roles: Vec<Role>,
    accept_invite: Flag,
    reject_invite: Flag,
    hide_history: Flag,
}

#[derive(Deserialize)]
struct Role {
    user_id: String,
    channel_role: String,
}

/// Does what the update says about members, and tells the channel. Members come before roles, so
/// that both can be said at once.
pub async fn update(app: &App, call: &Call, channel: &Channel, update: Membership) -> Result<(), ApiError> {
    let mut added = match update.add_members {
        Value::Null => Vec::new(),
        list => parse_members("add_members", list, false)?,
    };
    if !update.invites.is_null() {
        added.extend(parse_members("invites", update.invites, true)?);
    }
    let hide_history = update.hide_history.0;
    let added: Vec<NewMember> = added.into_iter().map(|member| NewMember { hide_history, ..member }).collect();
    let mut roles: Vec<(String, MemberChange)> = Vec::new();
    let mut assign = |user_id: String, channel_role: Change<String>| {
        roles.push((user_id, MemberChange { channel_role, ..MemberChange::default() }));
    };
    update.add_moderators.into_iter().for_each(|id| assign(id, Change::Set(access::MODERATOR.to_owned())));
    update.demote_moderators.into_iter().for_each(|id| assign(id, Change::Clear));
    update.assign_roles.into_iter().for_each(|role| assign(role.user_id, Change::Set(role.channel_role)));
    permit(app, call, channel, &added, &update.remove_members, &roles).await?;

    if !added.is_empty() {
        add(app, call, channel, &added).await?;
    }
    if !update.remove_members.is_empty() {
        remove(app, channel, &update.remove_members).await?;
    }
    if !roles.is_empty() {
        change(app, channel, &roles).await?;
    }
    for (answered, invite) in [(update.accept_invite.0, Invite::Accepted), (update.reject_invite.0, Invite::Rejected)] {
        if answered {
            answer(app, call, channel, invite).await?;
        }
    }
    Ok(())
}

/// Who may do that: the creator, moderators and the server-side everything, others only join open
/// channels and leave.
async fn permit(
    app: &App,
    call: &Call,
    channel: &Channel,
    added: &[NewMember],
    removed: &[String],
    roles: &[(String, MemberChange)],
) -> Result<(), ApiError> {
    if [added.len(), removed.len(), roles.len()].iter().any(|count| *count > limits::MEMBERS_PER_CHANNEL_QUERY) {
        return Err(ApiError::input(format!("at most {} members at once", limits::MEMBERS_PER_CHANNEL_QUERY)));
    }
    if !added.is_empty() && channel_data::is_distinct(&channel.id) {
        return Err(ApiError::input("a distinct channel is its members: no others can be added"));
    }
    let me = call.acting_user();
    let is_me = |member: &NewMember| me == Some(&member.user_id) && member.has_default_role();
    let joins = readers::is_open(channel) && added.iter().all(is_me);
    let leaves = removed.iter().all(|id| me == Some(id));
    if !roles.is_empty() || !(added.is_empty() || joins) || !leaves {
        access::manage(app, call, channel, "UpdateChannelMembers").await?;
    }
    Ok(())
}

async fn add(app: &App, call: &Call, channel: &Channel, members: &[NewMember]) -> Result<(), ApiError> {
    let members = app.store.add_members(&channel.cid, members, store::now()).await;
    let members = members.map_err(channels::unknown_users)?;
    let channel = channels::find(app, &channel.kind, &channel.id).await?;
    let by = call.acting_user();
    let ids = members.iter().map(|member| &*member.user_id).chain(by);
    Teller::new(app, &channel, ids).await?.joined(&members, by).await
}

async fn remove(app: &App, channel: &Channel, ids: &[String]) -> Result<(), ApiError> {
    let members = app.store.remove_members(&channel.cid, ids).await?;
    let channel = channels::find(app, &channel.kind, &channel.id).await?;
    if !readers::is_open(&channel) {
        // Before it is told, so that they hear of it as those outside do.
        members.iter().for_each(|member| app.hub.evict(&member.user_id.as_str().into(), &channel.cid.as_str().into()));
    }
    Teller::new(app, &channel, ids.iter().map(String::as_str)).await?.left(&members)
}

async fn change(app: &App, channel: &Channel, changes: &[(String, MemberChange)]) -> Result<Vec<Member>, ApiError> {
    let written = app.store.update_members(&channel.cid, changes, store::now()).await?;
    let teller = Teller::new(app, channel, changes.iter().map(|(id, _)| id.as_str())).await?;
    for member in written.iter().filter(|member| member.is_changed()) {
        teller.changed(member)?;
    }
    Ok(written.into_iter().map(|member| member.after).collect())
}

/// The caller answers their own invitation.
async fn answer(app: &App, call: &Call, channel: &Channel, invite: Invite) -> Result<(), ApiError> {
    let id = call.require_user()?;
    let ids = [id.to_owned()];
    let invited = app.store.members(&channel.cid, &ids).await?.pop().and_then(|member| member.invite);
    if invited.is_none() {
        return Err(ApiError::input("there is no invitation to answer"));
    }
    let change = MemberChange { invite: Some(invite), ..MemberChange::default() };
    let members = self::change(app, channel, &[(id.to_owned(), change)]).await?;
    let teller = Teller::new(app, channel, [id]).await?;
    let kind = match invite {
        Invite::Accepted => event::NOTIFICATION_INVITE_ACCEPTED,
        _ => event::NOTIFICATION_INVITE_REJECTED,
    };
    let event = wire::Event {
        channel: Some(teller.channel()),
        member: members.first().map(|member| teller.member(member)),
        user: teller.user(id),
        ..teller.event(kind)
    };
    let everybody = app.store.member_ids(&channel.cid).await?;
    teller.outside(everybody.iter().map(String::as_str), &event)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Query {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    members: Value,
    filter_conditions: Value,
    sort: Value,
    limit: Option<usize>,
    offset: usize,
    user_id_gt: Option<String>,
    user_id_gte: Option<String>,
    user_id_lt: Option<String>,
    user_id_lte: Option<String>,
}

/// `GET /members`: a page of a channel's members.
pub async fn query(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    let query: Query = call.input()?;
    let id = match query.id.filter(|id| !id.is_empty()) {
        Some(id) => id,
        None => channel_data::distinct_id(&query.kind, &parse_members("members", query.members, false)?)?,
    };
    let channel = channels::find(&app, &query.kind, &id).await?;
    access::read(&app, &call, &channel).await?;
    let query = MemberQuery {
        cid: channel.cid.clone(),
        filter: Filter::parse(&query.filter_conditions, &app.config.limits.filter())?,
        sort: Sort::parse(&query.sort)?,
        ids: IdRange { gt: query.user_id_gt, gte: query.user_id_gte, lt: query.user_id_lt, lte: query.user_id_lte },
        limit: query.limit.unwrap_or(limits::MEMBERS_PER_CHANNEL_QUERY).min(limits::MEMBERS_PER_QUERY) as u32,
        offset: call::offset(query.offset)?,
    };
    let members = app.store.query_members(&query).await?;
    let people = People::load(&app, &call.caller, members.iter().map(|member| &*member.user_id)).await?;
    let creator = channel.created_by_id.as_deref();
    let members = members
        .iter()
        .map(|member| wire::Member::public(member, people.get(&member.user_id), creator == Some(&*member.user_id)));
    Ok(Reply::ok(&json!({ "members": members.collect::<Vec<_>>() })))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Partial {
    set: Map<String, Value>,
    unset: Vec<String>,
}

/// `PATCH /channels/{type}/{id}/member`: the caller's own settings and custom fields as a member.
pub async fn update_own(
    State(app): State<AppState>,
    Path((kind, id)): Path<(String, String)>,
    call: Call,
) -> Result<Reply, ApiError> {
    let user_id = call.require_user()?.to_owned();
    update_one(State(app), Path((kind, id, user_id)), call).await
}

/// `PATCH /channels/{type}/{id}/member/{user_id}`: a member's settings and custom fields.
pub async fn update_one(
    State(app): State<AppState>,
    Path((kind, id, user_id)): Path<(String, String, String)>,
    call: Call,
) -> Result<Reply, ApiError> {
    let Partial { set, unset } = call.input()?;
    let channel = channels::find(&app, &kind, &id).await?;
    if call.acting_user() != Some(&user_id) || set.contains_key("channel_role") {
        access::manage(&app, &call, &channel, "UpdateChannelMembers").await?;
    }
    let mut change = MemberChange::default();
    for (key, value) in set {
        let wrong = |expected| ApiError::input(format!("field {key:?} expects type {expected}"));
        match (key.as_str(), value) {
            ("channel_role", Value::String(role)) => change.channel_role = Change::Set(role),
            ("channel_role", _) => return Err(wrong("string")),
            ("archived", Value::Bool(archived)) => change.archived = Change::Set(archived),
            ("pinned", Value::Bool(pinned)) => change.pinned = Change::Set(pinned),
            ("notifications_muted", Value::Bool(muted)) => change.notifications_muted = Change::Set(muted),
            ("archived" | "pinned" | "notifications_muted", _) => return Err(wrong("boolean")),
            _ if channel_data::is_member_field(&key) => {}
            (_, value) => change.custom.push(CustomChange::Set(path(&key)?, value)),
        }
    }
    for key in unset {
        match key.as_str() {
            "channel_role" => change.channel_role = Change::Clear,
            "archived" => change.archived = Change::Clear,
            "pinned" => change.pinned = Change::Clear,
            "notifications_muted" => change.notifications_muted = Change::Clear,
            _ if channel_data::is_member_field(&key) => {}
            _ => change.custom.push(CustomChange::Unset(path(&key)?)),
        }
    }
    let members = self::change(&app, &channel, &[(user_id.clone(), change)]).await?;
    let people = People::load(&app, &call.caller, [&*user_id]).await?;
    let is_creator = channel.created_by_id.as_deref() == Some(&user_id);
    let member = members.first().map(|member| match call.acting_user() == Some(&user_id) {
        true => wire::Member::own(member, people.get(&user_id), is_creator),
        false => wire::Member::public(member, people.get(&user_id), is_creator),
    });
    Ok(Reply::ok(&json!({ "channel_member": member })))
}

fn path(key: &str) -> Result<FieldPath, ApiError> {
    FieldPath::dotted(key).ok_or_else(|| ApiError::input(format!("{key:?} is not the name of a field")))
}
