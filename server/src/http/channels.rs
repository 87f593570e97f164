//! `/channels`: opening, finding and leaving channels.

use axum::extract::State;
use rollcall_protocol::limits;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::access;
use super::call::{self, Call};
use super::channel_data::{self, ChannelData};
use super::channel_state::{MessageRange, Page, Records, Wanted};
use super::flag::Flag;
use super::path::Path;
use super::reply::Reply;
use super::subscription;
use super::tell::Teller;
use crate::channel_type::ChannelType;
use crate::error::ApiError;
use crate::query::{self, ChannelQuery, Filter, Sort};
use crate::state::{App, AppState};
use crate::store::{self, Channel, MessagePage, NewChannel, StoreError};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Open {
    data: Option<Map<String, Value>>,
    state: Flag,
    watch: Flag,
    presence: Flag,
    messages: MessageRange,
    members: Page,
    watchers: Option<Page>,
    hide_for_creator: Flag,
}

/// `POST /channels/{type}/{id}/query`: the channel's state; the channel is created when it is not
/// there. With `watch` the connection gets its events, with `presence` its members' presence.
pub async fn open(
    State(app): State<AppState>,
    Path((kind, id)): Path<(String, String)>,
    call: Call,
) -> Result<Reply, ApiError> {
    open_channel(&app, &kind, Some(id), &call).await
}

/// `POST /channels/{type}/query`: the one channel with exactly these members.
pub async fn open_distinct(
    State(app): State<AppState>,
    Path(kind): Path<String>,
    call: Call,
) -> Result<Reply, ApiError> {
    open_channel(&app, &kind, None, &call).await
}

async fn open_channel(app: &App, kind: &str, id: Option<String>, call: &Call) -> Result<Reply, ApiError> {
    let request: Open = call.input()?;
    let connection = match request.watch.0 || request.presence.0 {
        true => Some(subscription::require_connection(app, call).await?),
        false => None,
    };
    known_type(kind)?;
    let messages = request.messages.into_page()?;
    let data = ChannelData::parse(request.data.unwrap_or_default())?;
    let id = match id {
        Some(id) if limits::is_channel_id(&id) => id,
        Some(id) => return Err(ApiError::input(format!("{id:?} is not a channel id"))),
        None => channel_data::distinct_id(kind, &data.members)?,
    };
    let channel = match app.store.channel(&format!("{kind}:{id}")).await? {
        Some(channel) => channel,
        None => {
            access::create(call, &id, &data)?;
            let new = data.into_new(kind, &id, call.acting_user())?;
            create(app, NewChannel { hide_for_creator: request.hide_for_creator.0, ..new }).await?
        }
    };
    access::read(app, call, &channel).await?;
    let wanted = Wanted {
        messages: request.state.0.then_some(messages),
        members: request.members,
        watchers: request.watchers.or(request.watch.0.then(Page::default)),
        watch: connection.filter(|_| request.watch.0),
        presence: connection.filter(|_| request.presence.0),
        presence_limit: match app.config.limits.channel_presence_limit {
            0 => usize::MAX,
            limit => limit,
        },
    };
    let channels = [channel];
    let records = Records::load(app, call, &channels, &wanted).await?;
    let people = records.people(app, call, &channels).await?;
    Ok(Reply::created(&records.state(call, &channels[0], &people, &wanted)))
}

/// Creates the channel unless somebody else is faster, and tells its members.
async fn create(app: &App, new: NewChannel) -> Result<Channel, ApiError> {
    let opened = app.store.get_or_create_channel(&new, store::now()).await.map_err(unknown_users)?;
    if opened.created {
        let ids: Vec<String> = new.members.iter().map(|member| member.user_id.clone()).collect();
        let members = app.store.members(&opened.channel.cid, &ids).await?;
        let ids = ids.iter().map(String::as_str);
        let teller = Teller::new(app, &opened.channel, ids).await?;
        teller.notify_joined(&members, Some(&new.created_by_id)).await?;
    }
    Ok(opened.channel)
}

#[derive(Deserialize)]
#[serde(default)]
struct Query {
    filter_conditions: Value,
    sort: Value,
    state: Flag,
    watch: Flag,
    presence: Flag,
    limit: Option<usize>,
    offset: usize,
    message_limit: Option<usize>,
    member_limit: Option<usize>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            filter_conditions: Value::Null,
            sort: Value::Null,
            state: Flag(true),
            watch: Flag(false),
            presence: Flag(false),
            limit: None,
            offset: 0,
            message_limit: None,
            member_limit: None,
        }
    }
}

/// `POST /channels`: as [`query`], answered with 201 as every `POST` is.
pub async fn query_by_post(app: State<AppState>, call: Call) -> Result<Reply, ApiError> {
    query(app, call).await.map(Reply::into_created)
}

/// `GET /channels?payload=`: a page of channels the caller may read, each with its state.
pub async fn query(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    let request: Query = call.input()?;
    let connection = match request.watch.0 || request.presence.0 {
        true => Some(subscription::require_connection(&app, &call).await?),
        false => None,
    };
    let filter = Filter::parse(&request.filter_conditions, &app.config.limits.filter())?;
    let query = ChannelQuery {
        filter: match access::readable(&call) {
            Some(readable) => Filter::And(vec![filter, Filter::parse(&readable, &query::Limits::default())?]),
            None => filter,
        },
        sort: Sort::parse(&request.sort)?,
        viewer: call.acting_user().map(str::to_owned),
        limit: request.limit.unwrap_or(limits::CHANNELS_DEFAULT).min(limits::CHANNELS_PER_REQUEST) as u32,
        offset: call::offset(request.offset)?,
    };
    let channels = app.store.query_channels(&query).await?;
    let message_limit = request.message_limit.unwrap_or(limits::MESSAGES_DEFAULT).min(limits::MESSAGES_PER_REQUEST);
    let wanted = Wanted {
        messages: request.state.0.then(|| MessagePage { limit: message_limit as u32, ..MessagePage::default() }),
        members: Page::first(request.member_limit.unwrap_or(limits::MEMBERS_PER_CHANNEL_QUERY)),
        watchers: request.watch.0.then(Page::default),
        watch: connection.filter(|_| request.watch.0),
        presence: connection.filter(|_| request.presence.0),
        presence_limit: usize::MAX,
    };
    let records = Records::load(&app, &call, &channels, &wanted).await?;
    let people = records.people(&app, &call, &channels).await?;
    let states: Vec<_> = channels.iter().map(|channel| records.state(&call, channel, &people, &wanted)).collect();
    Ok(Reply::ok(&json!({ "channels": states })))
}

/// `POST /channels/{type}/{id}/stop-watching`: ends what `watch` and `presence` began.
pub async fn stop_watching(
    State(app): State<AppState>,
    Path((kind, id)): Path<(String, String)>,
    call: Call,
) -> Result<Reply, ApiError> {
    let connection = subscription::require_connection(&app, &call).await?;
    app.hub.stop_watching(connection, &format!("{kind}:{id}").into()).await?;
    Ok(Reply::created(&json!({})))
}

/// The channel that a request's path names.
pub async fn find(app: &App, kind: &str, id: &str) -> Result<Channel, ApiError> {
    let cid = format!("{kind}:{id}");
    let channel = app.store.channel(&cid).await?;
    channel.ok_or_else(|| ApiError::not_found(format!("Can't find channel with id {cid}")))
}

/// A request that makes users members who do not exist is wrong; nothing it asks for is missing.
pub fn unknown_users(error: StoreError) -> ApiError {
    match error {
        StoreError::NotFound { what: "user", ids } => {
            ApiError::input(format!("these users do not exist, create them first: {}", ids.join(", ")))
        }
        error => error.into(),
    }
}

fn known_type(kind: &str) -> Result<&'static ChannelType, ApiError> {
    ChannelType::named(kind).ok_or_else(|| ApiError::not_found(format!("channel type {kind:?} does not exist")))
}
