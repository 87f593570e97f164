//! Channels with what is in them, read for one caller in a few queries however many there are.

use std::collections::HashMap;

use rollcall_protocol::limits;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::access;
use super::call::Call;
use super::messages::History;
use super::people::People;
use crate::channel_type::ChannelType;
use crate::error::ApiError;
use crate::presence::watchers::Scope;
use crate::presence::{Cid, ConnectionId, UserId};
use crate::state::App;
use crate::store::{Channel, Member, Message, MessagePage, Read};
use crate::wire;

/// Which of a channel's parts a request wants.
#[derive(Debug)]
pub struct Wanted {
    /// Which messages; none without.
    pub messages: Option<MessagePage>,
    pub members: Page,
    /// Which watchers; none without.
    pub watchers: Option<Page>,
    /// The connection that watches the channels from now on.
    pub watch: Option<ConnectionId>,
    /// The connection that hears of the members' presence from now on.
    pub presence: Option<ConnectionId>,
    /// Members of a channel whose presence one request subscribes to.
    pub presence_limit: usize,
}

/// A page of members or watchers.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Page {
    limit: Option<usize>,
    #[serde(deserialize_with = "offset")]
    offset: u32,
}

/// Refused as it is read, before anything is created or watched.
fn offset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    super::call::offset(usize::deserialize(deserializer)?).map_err(|error| D::Error::custom(error.message()))
}

impl Page {
    pub fn first(limit: usize) -> Self {
        Self { limit: Some(limit), offset: 0 }
    }

    fn limit(self) -> usize {
        self.limit.unwrap_or(limits::MEMBERS_PER_CHANNEL_QUERY).min(limits::MEMBERS_PER_CHANNEL_QUERY)
    }
}

/// What a request says about messages.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct MessageRange {
    limit: Option<usize>,
    id_lt: Option<String>,
    id_lte: Option<String>,
    id_gt: Option<String>,
    id_gte: Option<String>,
    id_around: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl MessageRange {
    /// Refuses what would otherwise be answered with the wrong messages.
    pub fn into_page(self) -> Result<MessagePage, ApiError> {
        let by_time = |(name, value): &(&String, &Value)| name.starts_with("created_at_") && !value.is_null();
        if let Some((name, _)) = self.others.iter().find(by_time) {
            return Err(ApiError::input(format!("messages: {name:?} is not supported, page by id")));
        }
        let limit = self.limit.unwrap_or(limits::MESSAGES_DEFAULT).min(limits::MESSAGES_PER_REQUEST);
        Ok(MessagePage {
            limit: limit as u32,
            parent_id: None,
            inclusive: self.id_lte.is_some() || self.id_gte.is_some(),
            before: self.id_lt.or(self.id_lte),
            after: self.id_gt.or(self.id_gte),
            around: self.id_around,
        })
    }
}

/// The records that the states of some channels are made of.
pub struct Records {
    members: HashMap<String, Vec<Member>>,
    memberships: HashMap<String, Member>,
    messages: HashMap<String, Vec<Message>>,
    reads: HashMap<String, Vec<Read>>,
    watchers: HashMap<String, Vec<UserId>>,
    omitted: HashMap<String, usize>,
    unwatched: Vec<Cid>,
}

impl Records {
    /// Subscribes first and reads afterwards: what changes in between comes as an event.
    pub async fn load(app: &App, call: &Call, channels: &[Channel], wanted: &Wanted) -> Result<Self, ApiError> {
        let watched: Vec<Cid> = channels.iter().map(|channel| channel.cid.as_str().into()).collect();
        let unwatched = match wanted.watch {
            Some(connection) => app.hub.watch_channels(connection, &watched).await?,
            None => Vec::new(),
        };
        let cids: Vec<String> = channels.iter().map(|channel| channel.cid.clone()).collect();
        let limit = wanted.members.limit() as u32;
        let members = group(app.store.members_of(&cids, limit, wanted.members.offset).await?, |member| &member.cid);
        let omitted = match wanted.presence {
            Some(connection) => subscribe(app, connection, &members, wanted.presence_limit).await?,
            None => HashMap::new(),
        };
        let memberships = match call.acting_user() {
            Some(user) => app.store.memberships(user, &cids).await?,
            None => Vec::new(),
        };
        let mut messages = match (&wanted.messages, channels) {
            (None, _) => Vec::new(),
            (Some(page), [channel]) => app.store.messages(&channel.cid, page).await?,
            (Some(page), _) => app.store.latest_messages(&cids, page.limit).await?,
        };
        let history = History::of(&memberships);
        messages.retain(|message| history.shows(message));
        let mut reads = app.store.reads(&cids, limit).await?;
        if let Some(user) = call.acting_user() {
            // Own reads count even when the page of members ends before.
            reads.retain(|read| read.user_id != user);
            reads.extend(app.store.reads_by(user, &cids).await?);
        }
        let watchers = app.hub.watchers_of(&watched).await;
        Ok(Self {
            members,
            memberships: memberships.into_iter().map(|member| (member.cid.clone(), member)).collect(),
            messages: group(messages, |message| &message.cid),
            reads: group(reads, |read| &read.cid),
            watchers: cids.into_iter().zip(watchers).collect(),
            omitted,
            unwatched,
        })
    }

    /// Everybody who is in the states of these channels.
    pub async fn people<'a>(&self, app: &'a App, call: &'a Call, channels: &[Channel]) -> Result<People<'a>, ApiError> {
        let creators = channels.iter().filter_map(|channel| channel.created_by_id.as_deref());
        let members = self.members.values().flatten().map(|member| &*member.user_id);
        let own = self.memberships.values().map(|member| &*member.user_id);
        let authors = self.messages.values().flatten().map(|message| &*message.user_id);
        let readers = self.reads.values().flatten().map(|read| &*read.user_id);
        let watchers = self.watchers.values().flatten().map(|user| &**user);
        let ids = creators.chain(members).chain(own).chain(authors).chain(readers).chain(watchers);
        People::load(app, &call.caller, ids).await
    }

    /// One channel's state.
    pub fn state<'r>(
        &'r self,
        call: &Call,
        channel: &'r Channel,
        people: &'r People<'_>,
        wanted: &Wanted,
    ) -> wire::ChannelState<'r> {
        let cid = channel.cid.as_str();
        let creator = channel.created_by_id.as_deref();
        let is_creator = |member: &Member| creator == Some(&*member.user_id);
        let membership = self.memberships.get(cid);
        let watchers = self.watchers.get(cid).map_or(&[][..], Vec::as_slice);
        let has_reads = ChannelType::named(&channel.kind).is_some_and(|kind| kind.config.read_events);
        wire::ChannelState {
            channel: wire::Channel::new(channel, creator.and_then(|id| people.get(id))).for_caller(
                membership.is_some_and(|member| member.hidden),
                access::standing(call, channel, membership),
            ),
            members: list(&self.members, cid)
                .map(|member| wire::Member::public(member, people.get(&member.user_id), is_creator(member)))
                .collect(),
            membership: membership
                .map(|member| wire::Member::own(member, people.get(&member.user_id), is_creator(member))),
            messages: list(&self.messages, cid)
                .filter_map(|message| Some(wire::Message::new(message, people.get(&message.user_id)?)))
                .collect(),
            pinned_messages: [],
            pending_messages: [],
            threads: [],
            read: list(&self.reads, cid)
                .filter(|_| has_reads)
                .filter_map(|read| Some(wire::ReadState::new(read, people.get(&read.user_id)?)))
                .collect(),
            watcher_count: watchers.len(),
            watchers: wanted.watchers.map(|page| {
                let page = watchers.iter().skip(page.offset as usize).take(page.limit());
                page.filter_map(|user| people.get(user)).collect()
            }),
            presence_omitted: self.omitted.get(cid).copied().unwrap_or(0),
            watch_omitted: self.unwatched.iter().any(|other| **other == *cid),
        }
    }
}

/// Subscribes to the members' presence, up to the limit of each channel, and says of each how
/// many were left out.
async fn subscribe(
    app: &App,
    connection: ConnectionId,
    members: &HashMap<String, Vec<Member>>,
    limit: usize,
) -> Result<HashMap<String, usize>, ApiError> {
    let first = |members: &[Member]| members.iter().take(limit).map(|member| member.user_id.as_str().into()).collect();
    let wanted = members.iter().map(|(cid, members)| (Scope::Channel(Cid::from(cid.as_str())), first(members)));
    let refused = app.hub.subscribe_presence(connection, wanted.collect()).await?;
    let left_out = members.iter().zip(refused);
    Ok(left_out.map(|((cid, members), refused)| (cid.clone(), members.len().saturating_sub(limit) + refused)).collect())
}

fn group<T>(records: Vec<T>, cid: impl Fn(&T) -> &String) -> HashMap<String, Vec<T>> {
    let mut groups: HashMap<String, Vec<T>> = HashMap::new();
    for record in records {
        groups.entry(cid(&record).clone()).or_default().push(record);
    }
    groups
}

fn list<'r, T>(groups: &'r HashMap<String, Vec<T>>, cid: &str) -> impl Iterator<Item = &'r T> {
    groups.get(cid).into_iter().flatten()
}
