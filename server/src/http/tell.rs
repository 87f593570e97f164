//! Events about one channel, shown as strangers may see them, since they go to many.

use rollcall_protocol::event as name;
use serde_json::{Map, Value};

use super::people::People;
use crate::auth::Caller;
use crate::bus::{self, Audience};
use crate::error::ApiError;
use crate::presence::{Cid, UserId};
use crate::state::App;
use crate::store::{self, Channel, Member, Timestamp, Written};
use crate::wire;

static STRANGER: Caller = Caller::Anonymous;

/// Sends an event.
pub fn publish(app: &App, audience: Audience, event: &wire::Event<'_>) -> Result<(), ApiError> {
    app.hub.publish(audience, serialized(event)?);
    Ok(())
}

/// The event as it goes out.
pub fn serialized(event: &wire::Event<'_>) -> Result<bus::Event, ApiError> {
    event.serialize().map_err(|error| ApiError::internal(&error))
}

/// Tells what happened in a channel, with the people it happened to.
pub struct Teller<'a> {
    app: &'a App,
    channel: &'a Channel,
    cid: Cid,
    people: People<'a>,
    now: Timestamp,
}

impl<'a> Teller<'a> {
    /// `ids`: everybody whom the events show; the channel's creator is always among them.
    pub async fn new<'i>(
        app: &'a App,
        channel: &'a Channel,
        ids: impl IntoIterator<Item = &'i str>,
    ) -> Result<Self, ApiError> {
        let mut ids: Vec<&str> = ids.into_iter().collect();
        ids.extend(channel.created_by_id.as_deref());
        let people = People::load(app, &STRANGER, ids).await?;
        Ok(Self { app, channel, cid: channel.cid.as_str().into(), people, now: store::now() })
    }

    /// An event of this type, without anything in it yet.
    pub fn event<'e>(&'e self, kind: &'e str) -> wire::Event<'e> {
        wire::Event::in_channel(kind, &self.channel.cid, self.now)
    }

    pub fn channel(&self) -> wire::Channel<'_> {
        let creator = self.channel.created_by_id.as_deref();
        wire::Channel::new(self.channel, creator.and_then(|id| self.people.get(id)))
    }

    pub fn member<'e>(&'e self, member: &'e Member) -> wire::Member<'e> {
        wire::Member::public(member, self.user(&member.user_id), self.is_creator(member))
    }

    fn is_creator(&self, member: &Member) -> bool {
        self.channel.created_by_id.as_deref() == Some(&*member.user_id)
    }

    pub fn user(&self, id: &str) -> Option<wire::User<'_>> {
        self.people.get(id)
    }

    /// Sends the event to those who watch the channel.
    pub fn watchers(&self, event: &wire::Event<'_>) -> Result<(), ApiError> {
        publish(self.app, Audience::Channel(self.cid.clone()), event)
    }

    /// Sends the event to those who watch the channel, except these users.
    pub fn onlookers(&self, members: &[String], event: &wire::Event<'_>) -> Result<(), ApiError> {
        let members = members.iter().map(|id| id.as_str().into()).collect();
        publish(self.app, Audience::Onlookers { cid: self.cid.clone(), members }, event)
    }

    /// Sends the event to those connections of the user that watch the channel.
    pub fn inside(&self, user: &str, event: &wire::Event<'_>) -> Result<(), ApiError> {
        publish(self.app, Audience::Inside { cid: self.cid.clone(), users: vec![user.into()] }, event)
    }

    /// Sends the event to those connections of the users that do not watch the channel.
    pub fn outside<'u>(
        &self,
        users: impl IntoIterator<Item = &'u str>,
        event: &wire::Event<'_>,
    ) -> Result<(), ApiError> {
        let users = users.into_iter().map(UserId::from).collect();
        publish(self.app, Audience::Outside { cid: self.cid.clone(), users }, event)
    }

    /// Sends the event to all connections of one user.
    pub fn user_alone(&self, id: &str, event: &wire::Event<'_>) -> Result<(), ApiError> {
        publish(self.app, Audience::Users(vec![id.into()]), event)
    }

    /// Users became members, or are invited: the channel hears of it, and they themselves.
    pub async fn joined(&self, members: &[Member], by: Option<&str>) -> Result<(), ApiError> {
        for member in members {
            let event = wire::Event {
                member: Some(self.member(member)),
                user: self.user(&member.user_id),
                channel_member_count: Some(self.channel.member_count),
                ..self.event(name::MEMBER_ADDED)
            };
            self.watchers(&event)?;
        }
        self.notify_joined(members, by).await
    }

    /// Like [`joined`](Self::joined) for a channel that is new: nobody watches it yet.
    pub async fn notify_joined(&self, members: &[Member], by: Option<&str>) -> Result<(), ApiError> {
        let ids: Vec<String> = members.iter().map(|member| member.user_id.clone()).collect();
        let unread = self.app.store.unread_of(&ids).await?;
        for member in members {
            let kind = match member.invite {
                Some(store::Invite::Pending) => name::NOTIFICATION_INVITED,
                _ => name::NOTIFICATION_ADDED_TO_CHANNEL,
            };
            let event = wire::Event {
                channel: Some(self.channel()),
                member: Some(self.member(member)),
                // When the application's server says for nobody that it adds them: at least someone.
                user: self.user(by.unwrap_or(&member.user_id)),
                unread: Some(unread.get(&member.user_id).copied().unwrap_or_default().into()),
                ..self.event(kind)
            };
            self.outside([&*member.user_id], &event)?;
        }
        Ok(())
    }

    /// Users are no members any more.
    pub fn left(&self, members: &[Member]) -> Result<(), ApiError> {
        for member in members {
            let event = wire::Event {
                member: Some(self.member(member)),
                user: self.user(&member.user_id),
                channel_member_count: Some(self.channel.member_count),
                ..self.event(name::MEMBER_REMOVED)
            };
            self.watchers(&event)?;
            let event =
                wire::Event { channel: Some(self.channel()), ..event.renamed(name::NOTIFICATION_REMOVED_FROM_CHANNEL) };
            self.outside([&*member.user_id], &event)?;
        }
        Ok(())
    }

    /// Something about a member changed. They see all of it, others what is theirs to see.
    pub fn changed(&self, member: &Written<Member>) -> Result<(), ApiError> {
        let Written { before, after } = member;
        let mut event = wire::Event {
            member: Some(self.member(after)),
            user: self.user(&after.user_id),
            ..self.event(name::MEMBER_UPDATED)
        };
        if !before.as_ref().is_some_and(|before| before.looks_like(after)) {
            self.onlookers(std::slice::from_ref(&after.user_id), &event)?;
        }
        event.member = Some(wire::Member::own(after, self.user(&after.user_id), self.is_creator(after)));
        self.inside(&after.user_id, &event)
    }

    /// The channel is gone.
    pub fn deleted(&self, member_ids: &[String]) -> Result<(), ApiError> {
        let event = wire::Event { channel: Some(self.channel()), ..self.event(name::CHANNEL_DELETED) };
        self.watchers(&event)?;
        let event = event.renamed(name::NOTIFICATION_CHANNEL_DELETED);
        self.outside(member_ids.iter().map(String::as_str), &event)
    }
}

/// What a custom event may carry: not the fields that say what it is and where it comes from.
pub fn without_built_in(mut fields: Map<String, Value>) -> Map<String, Value> {
    const BUILT_IN: &[&str] = &[
        "channel_id",
        "channel_type",
        "cid",
        "connection_id",
        "created_at",
        "me",
        "parent_id",
        "rollcall",
        "type",
        "user",
        "user_id",
    ];
    fields.retain(|key, _| !BUILT_IN.contains(&key.as_str()));
    fields
}
