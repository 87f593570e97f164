use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rollcall_server::query::{self, ChannelField, ChannelQuery, Filter, MemberField, MemberQuery, Sort};
use rollcall_server::store::{
    Change, Channel, ChannelChange, Custom, Invite, Member, MemberChange, Message, MessagePage, NewChannel, NewMember,
    NewMessage, Read, Store, User, UserChange,
};
use serde_json::{Value, json};

use crate::naive::{self, Held, Record, at_path, text_at};
use crate::random::{self, USERS, at, sort_json};
use crate::{run, stores};

const VIEWER: &str = "ada";

/// A channel to be: the first of its members makes it.
#[derive(Clone, Debug)]
struct Plan {
    kind: &'static str,
    distinct: bool,
    team: String,
    flags: (bool, bool),
    custom: Custom,
    members: Vec<(&'static str, MemberPlan)>,
    created: i64,
    /// Who says something, and when.
    messages: Vec<(&'static str, i64)>,
}

#[derive(Clone, Debug)]
struct MemberPlan {
    moderator: bool,
    invite: Option<Invite>,
    archived: bool,
    pinned: Option<i64>,
    hidden: bool,
    read: Option<i64>,
    custom: Custom,
}

fn member() -> impl Strategy<Value = MemberPlan> {
    let invites = select(vec![None, Some(Invite::Pending), Some(Invite::Accepted), Some(Invite::Rejected)]);
    let time = || proptest::option::of(0..8_i64);
    (any::<bool>(), invites, any::<bool>(), time(), any::<bool>(), time(), random::custom(&[])).prop_map(
        |(moderator, invite, archived, pinned, hidden, read, custom)| MemberPlan {
            moderator,
            invite,
            archived,
            pinned,
            hidden,
            read,
            custom,
        },
    )
}

fn channel() -> impl Strategy<Value = Plan> {
    let members = (subsequence(&USERS[..], 1..=USERS.len()), vec(member(), USERS.len()));
    let members = members.prop_map(|(ids, plans)| ids.into_iter().zip(plans).collect::<Vec<_>>());
    let custom = (random::custom(&["name", "filter_tags"]), proptest::option::of(random::tags()));
    let custom = custom.prop_map(|(mut custom, tags)| {
        if let Some(tags) = tags {
            custom.insert("filter_tags".to_owned(), json!(tags));
        }
        custom
    });
    (
        select(vec!["messaging", "team"]),
        any::<bool>(),
        random::text(),
        any::<(bool, bool)>(),
        custom,
        members,
        0..8_i64,
        vec((select(&USERS[..]), 0..8_i64), 0..4),
    )
        .prop_map(|(kind, distinct, team, flags, custom, members, created, messages)| Plan {
            kind,
            distinct,
            team,
            flags,
            custom,
            members,
            created,
            messages,
        })
}

async fn store_channel(store: &Arc<dyn Store>, number: usize, plan: &Plan) {
    let new = NewChannel {
        kind: plan.kind.to_owned(),
        id: format!("{}{number}", if plan.distinct { "!members-" } else { "general-" }),
        created_by_id: plan.members[0].0.to_owned(),
        team: plan.team.clone(),
        frozen: plan.flags.0,
        disabled: plan.flags.1,
        custom: plan.custom.clone(),
        members: plan
            .members
            .iter()
            .map(|(id, plan)| NewMember { custom: plan.custom.clone(), ..NewMember::new(*id) })
            .collect(),
        ..NewChannel::default()
    };
    let cid = store.get_or_create_channel(&new, at(plan.created)).await.unwrap().channel.cid;
    for (n, (user_id, second)) in plan.messages.iter().enumerate() {
        let new = NewMessage {
            id: format!("{cid}-{n}"),
            cid: cid.clone(),
            user_id: (*user_id).to_owned(),
            ..NewMessage::default()
        };
        store.insert_message(&new, at(*second)).await.unwrap();
    }
    for (user_id, plan) in &plan.members {
        let change = MemberChange {
            channel_role: if plan.moderator { Change::Set("channel_moderator".to_owned()) } else { Change::Keep },
            invite: plan.invite,
            archived: Change::Set(plan.archived),
            pinned: Change::Set(plan.pinned.is_some()),
            ..MemberChange::default()
        };
        let changes = [((*user_id).to_owned(), change)];
        store.update_members(&cid, &changes, at(plan.pinned.unwrap_or(0))).await.unwrap();
        if plan.hidden {
            store.hide_channel(&cid, user_id, false, at(9)).await.unwrap();
        }
        if let Some(second) = plan.read {
            store.mark_read(&cid, user_id, None, at(second)).await.unwrap();
        }
    }
    if plan.flags.0 {
        let change = ChannelChange { frozen: Change::Set(false), ..ChannelChange::default() };
        store.update_channel(&cid, &change, at(8)).await.unwrap();
    }
}

async fn fill(store: &Arc<dyn Store>, names: &[Option<String>], plans: &[Plan]) {
    for (id, name) in USERS.iter().zip(names) {
        let name = name.clone().map_or(Change::Keep, Change::Set);
        store.upsert_users(&[UserChange { name, ..UserChange::of(*id) }], at(0)).await.unwrap();
    }
    for (number, plan) in plans.iter().enumerate() {
        store_channel(store, number, plan).await;
    }
}

/// A channel with all a filter may ask of it, as the store tells it through its other methods.
struct Known {
    channel: Channel,
    members: Vec<Member>,
    users: BTreeMap<String, User>,
    messages: Vec<Message>,
    viewer: Option<(Member, Read)>,
}

async fn known(store: &Arc<dyn Store>, cid: &str, viewer: Option<&str>) -> Known {
    let cids = [cid.to_owned()];
    let members = store.members_of(&cids, 100, 0).await.unwrap();
    let ids: Vec<String> = USERS.iter().map(|&id| id.to_owned()).collect();
    let users = store.users(&ids).await.unwrap();
    let of_viewer = |user_id: &str| viewer == Some(user_id);
    let membership = members.iter().find(|member| of_viewer(&member.user_id)).cloned();
    let read = store.reads(&cids, 100).await.unwrap().into_iter().find(|read| of_viewer(&read.user_id));
    Known {
        channel: store.channel(cid).await.unwrap().unwrap(),
        users: users.into_iter().map(|user| (user.id.clone(), user)).collect(),
        messages: store.messages(cid, &MessagePage { limit: 100, ..MessagePage::default() }).await.unwrap(),
        viewer: membership.zip(read),
        members,
    }
}

impl Known {
    fn unread(&self) -> usize {
        let Some((member, read)) = &self.viewer else { return 0 };
        let unread = |message: &&Message| message.user_id != member.user_id && message.created_at > read.last_read;
        self.messages.iter().filter(unread).count()
    }
}

impl Record for Known {
    fn key(&self) -> &str {
        &self.channel.cid
    }

    fn field(&self, name: &str) -> Held {
        let channel = &self.channel;
        let viewer = self.viewer.as_ref().map(|(member, _)| member);
        let value = |value: Value| Held::One(Some(value));
        match name {
            "cid" => value(json!(channel.cid)),
            "id" => value(json!(channel.id)),
            "type" => value(json!(channel.kind)),
            "team" => Held::One(Some(json!(channel.team)).filter(|_| !channel.team.is_empty())),
            "created_by_id" => Held::One(channel.created_by_id.clone().map(Value::from)),
            "created_at" => Held::Time(Some(channel.created_at)),
            "updated_at" => Held::Time(Some(channel.updated_at)),
            "last_message_at" => Held::Time(channel.last_message_at),
            "last_updated" => Held::Time(channel.last_message_at.or(Some(channel.created_at))),
            "member_count" => value(json!(self.members.len())),
            "message_count" => value(json!(self.messages.len())),
            "frozen" => value(json!(channel.frozen)),
            "disabled" => value(json!(channel.disabled)),
            "distinct" => value(json!(channel.id.starts_with("!members-"))),
            "members" => Held::Many(self.members.iter().map(|member| member.user_id.clone()).collect()),
            "filter_tags" => match channel.custom.get("filter_tags") {
                Some(Value::Array(tags)) => {
                    Held::Many(tags.iter().filter_map(|tag| tag.as_str().map(str::to_owned)).collect())
                }
                _ => Held::Many(Vec::new()),
            },
            "name" => Held::One(text_at(&channel.custom, "name")),
            "member.user.name" => {
                Held::Many(self.members.iter().filter_map(|member| self.users[&member.user_id].name.clone()).collect())
            }
            "hidden" => value(json!(viewer.is_some_and(|member| member.hidden))),
            "joined" => {
                value(json!(viewer.is_some_and(|member| matches!(member.invite, None | Some(Invite::Accepted)))))
            }
            "invite" => Held::One(viewer.and_then(|member| member.invite).map(|invite| invite.as_str().into())),
            "channel_role" => Held::One(viewer.map(|member| member.channel_role.clone().into())),
            "archived" => value(json!(viewer.is_some_and(|member| member.archived_at.is_some()))),
            "pinned" => value(json!(viewer.is_some_and(|member| member.pinned_at.is_some()))),
            "pinned_at" => Held::Time(viewer.and_then(|member| member.pinned_at)),
            "has_unread" => value(json!(self.unread() > 0)),
            "unread_count" => value(json!(self.unread())),
            "muted" | "blocked" => value(json!(false)),
            "app_banned" => value(json!("excluded")),
            path => Held::One(at_path(&channel.custom, path)),
        }
    }
}

/// A member with the user they are.
struct KnownMember {
    member: Member,
    user: User,
}

impl Record for KnownMember {
    fn key(&self) -> &str {
        &self.member.user_id
    }

    fn field(&self, name: &str) -> Held {
        let member = &self.member;
        let value = |value: Value| Held::One(Some(value));
        match name {
            "id" | "user_id" => value(json!(member.user_id)),
            "created_at" => Held::Time(Some(member.created_at)),
            "updated_at" => Held::Time(Some(member.updated_at)),
            "name" => Held::One(self.user.name.clone().map(Value::from)),
            "user.email" => Held::One(text_at(&self.user.custom, "email")),
            "banned" => value(json!(member.banned)),
            "invite" => Held::One(member.invite.map(|invite| invite.as_str().into())),
            "joined" => value(json!(matches!(member.invite, None | Some(Invite::Accepted)))),
            "cid" => value(json!(member.cid)),
            "is_moderator" => value(json!(member.channel_role == "channel_moderator")),
            "notifications_muted" => value(json!(member.notifications_muted)),
            "channel_role" => value(json!(member.channel_role)),
            path => Held::One(at_path(&member.custom, path)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_query_of_channels_answers_as_the_naive_one_does(
        names in vec(proptest::option::of(random::text()), USERS.len()),
        plans in vec(channel(), 1..5),
        queries in vec((random::filter(ChannelField::ALL), random::sort(ChannelField::ALL)), 8),
        viewer in any::<bool>(),
        offset in 0..2_u32,
        limit in 1..6_u32,
    ) {
        run(async {
            let viewer = viewer.then_some(VIEWER);
            for store in stores().await {
                fill(&store, &names, &plans).await;
                let all = ChannelQuery { filter: Filter::default(), limit: 100, ..ChannelQuery::default() };
                let mut channels = Vec::new();
                for channel in store.query_channels(&all).await.unwrap() {
                    channels.push(known(&store, &channel.cid, viewer).await);
                }
                for (filter, sort) in &queries {
                    let query = ChannelQuery {
                        filter: Filter::parse(filter, &query::Limits::default()).unwrap(),
                        sort: Sort::parse(&sort_json(sort)).unwrap(),
                        viewer: viewer.map(str::to_owned),
                        offset,
                        limit,
                    };
                    let names_hidden = query.filter.mentions(ChannelField::Hidden);
                    let visible = channels.iter().filter(|known| {
                        let me = known.viewer.as_ref().map(|(member, _)| member);
                        names_hidden || !me.is_some_and(|me| me.hidden)
                    });
                    let records: Vec<&dyn Record> = visible.map(|known| known as &dyn Record).collect();
                    let expected = naive::answer(&records, filter, sort);
                    let expected = expected.into_iter().skip(offset as usize).take(limit as usize);
                    let expected: Vec<String> = expected.collect();
                    let found = store.query_channels(&query).await.unwrap();
                    let found: Vec<String> = found.into_iter().map(|channel| channel.cid).collect();
                    prop_assert_eq!(found, expected, "{} sorted by {:?}", filter, sort);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_query_of_members_answers_as_the_naive_one_does(
        names in vec(proptest::option::of(random::text()), USERS.len()),
        plan in channel(),
        queries in vec((random::filter(MemberField::ALL), random::sort(MemberField::ALL)), 8),
    ) {
        run(async {
            for store in stores().await {
                fill(&store, &names, std::slice::from_ref(&plan)).await;
                let cid = store.channels_of(plan.members[0].0).await.unwrap().remove(0);
                let known = known(&store, &cid, None).await;
                let members: Vec<KnownMember> = known.members.into_iter()
                    .map(|member| KnownMember { user: known.users[&member.user_id].clone(), member })
                    .collect();
                let records: Vec<&dyn Record> = members.iter().map(|member| member as &dyn Record).collect();
                for (filter, sort) in &queries {
                    let query = MemberQuery {
                        filter: Filter::parse(filter, &query::Limits::default()).unwrap(),
                        sort: Sort::parse(&sort_json(sort)).unwrap(),
                        ..MemberQuery::of(cid.clone())
                    };
                    let expected = naive::answer(&records, filter, sort);
                    let found = store.query_members(&query).await.unwrap();
                    let found: Vec<String> = found.into_iter().map(|member| member.user_id).collect();
                    prop_assert_eq!(found, expected, "{} sorted by {:?}", filter, sort);
                }
            }
            Ok(())
        })?;
    }
}
