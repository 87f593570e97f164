//! The store, in the words of those who rely on it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

use rollcall_server::query::{ChannelQuery, Path, UserQuery};
use rollcall_server::store::{
    self, Change, CustomChange, Invite, MemberChange, MessageChange, MessagePage, NewChannel, NewMember, NewMessage,
    Store, StoreError, Task, TaskStatus, Timestamp, Unread, UserChange,
};
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;

/// A database file of its own for each test, gone afterwards.
struct Database {
    directory: TempDir,
}

impl Database {
    fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    async fn open(&self) -> Arc<dyn Store> {
        let path = self.directory.path().join("rollcall.db");
        store::open(&format!("sqlite://{}", path.display())).await.unwrap()
    }
}

fn named(id: &str, name: &str) -> UserChange {
    UserChange { name: Change::Set(name.to_owned()), ..UserChange::of(id) }
}

fn with(id: &str, custom: Value) -> UserChange {
    let Value::Object(custom) = custom else { panic!("not an object: {custom}") };
    UserChange { custom: CustomChange::set_all(custom), ..UserChange::of(id) }
}

/// Seconds after some moment.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|&id| id.to_owned()).collect()
}

async fn create_users(store: &Arc<dyn Store>, ids: &[&str]) {
    let changes: Vec<UserChange> = ids.iter().map(|&id| UserChange::of(id)).collect();
    store.upsert_users(&changes, at(0)).await.unwrap();
}

/// Channel `messaging:{id}`, made by the first of its members.
async fn create_channel(store: &Arc<dyn Store>, id: &str, members: &[&str]) -> String {
    let new = NewChannel {
        kind: "messaging".to_owned(),
        id: id.to_owned(),
        created_by_id: members[0].to_owned(),
        members: members.iter().map(|&id| NewMember::new(id)).collect(),
        ..NewChannel::default()
    };
    store.get_or_create_channel(&new, at(1)).await.unwrap().channel.cid
}

async fn say(store: &Arc<dyn Store>, cid: &str, user_id: &str, id: &str, now: Timestamp) {
    let new = NewMessage {
        id: id.to_owned(),
        cid: cid.to_owned(),
        user_id: user_id.to_owned(),
        text: "hello".to_owned(),
        ..NewMessage::default()
    };
    store.insert_message(&new, now).await.unwrap();
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let database = Database::new();
    let store = database.open().await;
    let mut ada = with("ada", json!({ "status": "Eating a veggie burger...", "address": { "city": "Łódź" } }));
    ada.name = Change::Set("Ada".to_owned());
    ada.invisible = Change::Set(true);
    store.upsert_users(&[ada, UserChange::of("bob")], at(0)).await.unwrap();
    store.touch_users(&[("bob".to_owned(), at(5))]).await.unwrap();
    let cid = create_channel(&store, "general", &["ada", "bob"]).await;
    say(&store, &cid, "ada", "m1", at(6)).await;
    let before = (
        store.users(&ids(&["ada", "bob"])).await.unwrap(),
        store.channel(&cid).await.unwrap(),
        store.members_of(std::slice::from_ref(&cid), 10, 0).await.unwrap(),
        store.message("m1").await.unwrap(),
    );
    store.close().await;

    let store = database.open().await;
    let after = (
        store.users(&ids(&["ada", "bob"])).await.unwrap(),
        store.channel(&cid).await.unwrap(),
        store.members_of(std::slice::from_ref(&cid), 10, 0).await.unwrap(),
        store.message("m1").await.unwrap(),
    );
    assert_eq!(before, after);
    let ada = store.user("ada").await.unwrap().unwrap();
    assert!(ada.invisible);
    assert_eq!(ada.custom["status"], "Eating a veggie burger...");
    let bob = store.user("bob").await.unwrap().unwrap();
    assert_eq!(bob.last_active, Some(at(5)));
}

#[tokio::test]
async fn an_upsert_keeps_what_it_does_not_name() {
    let store = store::open("sqlite::memory:").await.unwrap();
    let mut ada = with("ada", json!({ "status": "here", "color": "green" }));
    ada.name = Change::Set("Ada".to_owned());
    let created = store.upsert_users(&[ada], at(0)).await.unwrap().remove(0);
    assert!(created.is_new());

    let toggle = UserChange { invisible: Change::Set(true), ..UserChange::of("ada") };
    let hidden = store.upsert_users(&[toggle], at(1)).await.unwrap().remove(0);
    assert_eq!(hidden.before, Some(created.after));
    assert!(hidden.after.invisible);
    assert_eq!(hidden.after.name.as_deref(), Some("Ada"));
    assert_eq!(hidden.after.custom["status"], "here");
    assert_eq!(hidden.after.updated_at, at(0), "others could tell from it");

    let renamed = store.upsert_users(&[named("ada", "Countess")], at(2)).await.unwrap().remove(0);
    assert_eq!(renamed.after.updated_at, at(2));
    let again = store.upsert_users(&[UserChange::of("ada")], at(3)).await.unwrap().remove(0);
    assert!(!again.is_changed());
    assert_eq!(again.after.updated_at, at(2), "a write that changes nothing is not an update");
}

#[tokio::test]
async fn a_partial_update_reaches_into_nested_data() {
    let store = store::open("sqlite::memory:").await.unwrap();
    let ada = with("ada", json!({ "address": { "city": "Paris", "zip": "75001" }, "age": 36 }));
    store.upsert_users(&[ada], at(0)).await.unwrap();
    let path = |text| Path::dotted(text).unwrap();
    let change = UserChange {
        custom: vec![
            CustomChange::Set(path("address.city"), json!("London")),
            CustomChange::Set(path("pets.cat.name"), json!("Tom")),
            CustomChange::Unset(path("address.zip")),
            CustomChange::Unset(path("age")),
            CustomChange::Unset(path("never.was")),
        ],
        ..UserChange::of("ada")
    };
    let ada = store.update_users(&[change], at(1)).await.unwrap().remove(0).after;
    let expected = json!({ "address": { "city": "London" }, "pets": { "cat": { "name": "Tom" } } });
    assert_eq!(Value::Object(ada.custom), expected);

    let into_text = UserChange {
        custom: vec![CustomChange::Set(path("address.city.street"), json!("Strand"))],
        ..UserChange::of("ada")
    };
    let refused = store.update_users(&[into_text], at(2)).await;
    assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
}

#[tokio::test]
async fn one_bad_entry_fails_the_whole_batch() {
    let store = store::open("sqlite::memory:").await.unwrap();
    create_users(&store, &["ada"]).await;
    let batch = [named("ada", "Ada"), UserChange::of("nobody")];
    let refused = store.update_users(&batch, at(1)).await;
    assert!(matches!(refused, Err(StoreError::NotFound { what: "user", .. })), "{refused:?}");
    assert_eq!(store.user("ada").await.unwrap().unwrap().name, None);

    let too_large = with("bob", json!({ "note": "x".repeat(6000) }));
    let refused = store.upsert_users(&[named("eve", "Eve"), too_large], at(1)).await;
    assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
    assert_eq!(store.user("eve").await.unwrap(), None);

    let unkeepable = with("bob", json!({ "note": ["a\0b"] }));
    let refused = store.upsert_users(&[named("eve", "Eve"), unkeepable], at(1)).await;
    assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
    assert_eq!(store.user("eve").await.unwrap(), None);

    let stranger = store.add_members("messaging:none", &[NewMember::new("ada")], at(1)).await;
    assert!(matches!(stranger, Err(StoreError::NotFound { what: "channel", .. })), "{stranger:?}");
}

#[tokio::test]
async fn of_writes_at_the_same_time_only_the_bad_ones_fail() {
    let database = Database::new();
    let store = database.open().await;
    let write = |n: usize| {
        let store = store.clone();
        let good = named(&format!("good{n}"), "Good");
        let bad = with(&format!("bad{n}"), json!({ "note": "x".repeat(6000) }));
        let batch = if n.is_multiple_of(3) { vec![good, bad] } else { vec![good] };
        tokio::spawn(async move { store.upsert_users(&batch, at(1)).await.is_ok() })
    };
    for (n, task) in (0..60).map(write).collect::<Vec<_>>().into_iter().enumerate() {
        let is_bad = n.is_multiple_of(3);
        assert_eq!(task.await.unwrap(), !is_bad);
        let user = store.user(&format!("good{n}")).await.unwrap();
        assert_eq!(user.is_none(), is_bad, "what is acknowledged is there, and nothing else");
    }
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_nothing_half_written() {
    let database = Database::new();
    let store = database.open().await;
    let pair = |n: usize| [format!("left{n}"), format!("right{n}")];
    for n in 0..40 {
        let writer = store.clone();
        let batch = pair(n).map(UserChange::of);
        let task = tokio::spawn(async move { writer.upsert_users(&batch, at(1)).await });
        for _ in 0..n {
            tokio::task::yield_now().await;
        }
        task.abort();
        let outcome = task.await;
        let found = store.users(&pair(n)).await.unwrap().len();
        match outcome {
            Ok(written) => assert_eq!((written.unwrap().len(), found), (2, 2)),
            Err(_) => assert!(found == 0 || found == 2, "{found} of 2"),
        }
    }
    create_users(&store, &["ada"]).await;
}

#[tokio::test]
async fn last_active_never_goes_back() {
    let store = store::open("sqlite::memory:").await.unwrap();
    create_users(&store, &["ada"]).await;
    for second in [20, 10] {
        let seen = [("ada".to_owned(), at(second)), ("nobody".to_owned(), at(second))];
        store.touch_users(&seen).await.unwrap();
    }
    let ada = store.user("ada").await.unwrap().unwrap();
    assert_eq!(ada.last_active, Some(at(20)));
    assert_eq!(ada.updated_at, at(0), "being there is not an update");
}

#[tokio::test]
async fn of_many_who_open_a_channel_at_once_one_creates_it() {
    let database = Database::new();
    let store = database.open().await;
    create_users(&store, &["ada", "bob"]).await;
    let open = |color: usize| {
        let store = store.clone();
        let mut new = NewChannel {
            kind: "messaging".to_owned(),
            id: "general".to_owned(),
            created_by_id: "ada".to_owned(),
            members: vec![NewMember::new("ada"), NewMember::new("bob")],
            ..NewChannel::default()
        };
        new.custom.insert("color".to_owned(), json!(color));
        tokio::spawn(async move { store.get_or_create_channel(&new, at(1)).await.unwrap() })
    };
    let mut opened = Vec::new();
    for task in (0..8).map(open).collect::<Vec<_>>() {
        opened.push(task.await.unwrap());
    }
    assert_eq!(opened.iter().filter(|opened| opened.created).count(), 1);
    assert!(opened.iter().all(|other| other.channel == opened[0].channel));
    assert_eq!(opened[0].channel.member_count, 2);
}

#[tokio::test]
async fn a_channel_with_a_stranger_is_not_created() {
    let store = store::open("sqlite::memory:").await.unwrap();
    create_users(&store, &["ada"]).await;
    let new = NewChannel {
        kind: "messaging".to_owned(),
        id: "general".to_owned(),
        created_by_id: "ada".to_owned(),
        members: vec![NewMember::new("ada"), NewMember::new("x"), NewMember::new("y")],
        ..NewChannel::default()
    };
    match store.get_or_create_channel(&new, at(1)).await {
        Err(StoreError::NotFound { what: "user", ids: missing }) => assert_eq!(missing, ids(&["x", "y"])),
        other => panic!("{other:?}"),
    }
    assert_eq!(store.channel("messaging:general").await.unwrap(), None);
}

#[tokio::test]
async fn the_state_of_several_channels_comes_in_one_go() {
    let store = store::open("sqlite::memory:").await.unwrap();
    create_users(&store, &["ada", "bob", "cay"]).await;
    let one = create_channel(&store, "one", &["ada", "bob"]).await;
    let two = create_channel(&store, "two", &["bob", "cay"]).await;
    store.add_members(&one, &[NewMember::new("cay")], at(2)).await.unwrap();
    for (n, cid) in [(1, &one), (2, &two), (3, &one), (4, &one)] {
        say(&store, cid, "bob", &format!("m{n}"), at(10 + n)).await;
    }
    let cids = [two.clone(), one.clone()];

    let members = store.members_of(&cids, 2, 0).await.unwrap();
    let found: Vec<_> = members.iter().map(|m| (m.cid.as_str(), m.user_id.as_str())).collect();
    let (one, two) = (one.as_str(), two.as_str());
    assert_eq!(found, [(two, "bob"), (two, "cay"), (one, "ada"), (one, "bob")]);
    let rest = store.members_of(&cids, 2, 2).await.unwrap();
    assert_eq!(rest.iter().map(|m| m.user_id.as_str()).collect::<Vec<_>>(), ["cay"]);

    let messages = store.latest_messages(&cids, 2).await.unwrap();
    let found: Vec<_> = messages.iter().map(|m| (m.cid.as_str(), m.id.as_str())).collect();
    assert_eq!(found, [(two, "m2"), (one, "m3"), (one, "m4")]);
    assert_eq!(store.channel(one).await.unwrap().unwrap().last_message_at, Some(at(14)));

    let mut of_cay = store.channels_of("cay").await.unwrap();
    of_cay.sort();
    assert_eq!(of_cay, [one, two]);
    store.remove_members(one, &ids(&["cay", "nobody"])).await.unwrap();
    assert_eq!(store.channels_of("cay").await.unwrap(), [two]);
    assert_eq!(store.channel(one).await.unwrap().unwrap().member_count, 2);
}

#[tokio::test]
async fn messages_are_paged_in_both_directions() {
    let store = store::open("sqlite::memory:").await.unwrap();
    create_users(&store, &["ada"]).await;
    let cid = create_channel(&store, "general", &["ada"]).await;
    for n in 1..=5 {
        say(&store, &cid, "ada", &format!("m{n}"), at(n)).await;
    }
    let page = async |page: MessagePage| {
        let messages = store.messages(&cid, &page).await.unwrap();
        messages.into_iter().map(|message| message.id).collect::<Vec<_>>()
    };
    let two = MessagePage { limit: 2, ..MessagePage::default() };
    let m3 = Some("m3".to_owned());
    assert_eq!(page(two.clone()).await, ["m4", "m5"]);
    assert_eq!(page(MessagePage { before: m3.clone(), ..two.clone() }).await, ["m1", "m2"]);
    assert_eq!(page(MessagePage { after: m3.clone(), ..two.clone() }).await, ["m4", "m5"]);
    assert_eq!(page(MessagePage { after: m3, inclusive: true, ..two }).await, ["m3", "m4"]);
}

#[tokio::test]
async fn users_are_paged_by_id_or_newest_first() {
    let store = store::open("sqlite::memory:").await.unwrap();
    for (second, id) in [(1, "cay"), (2, "ada"), (2, "bob")] {
        store.upsert_users(&[UserChange::of(id)], at(second)).await.unwrap();
    }
    let page = async |query: UserQuery| {
        let users = store.query_users(&query).await.unwrap();
        users.into_iter().map(|user| user.id).collect::<Vec<_>>()
    };
    let mut query = UserQuery { limit: 2, ..UserQuery::default() };
    assert_eq!(page(query.clone()).await, ["ada", "bob"], "ties are broken by id");
    query.offset = 2;
    assert_eq!(page(query.clone()).await, ["cay"]);
    query.offset = 0;
    query.ids.gt = Some("ada".to_owned());
    assert_eq!(page(query).await, ["bob", "cay"]);
}

#[tokio::test]
async fn a_deleted_user_comes_back_only_by_being_restored() {
    let store = store::open("sqlite::memory:").await.unwrap();
    create_users(&store, &["ada", "bob"]).await;
    let cid = create_channel(&store, "general", &["ada", "bob"]).await;
    say(&store, &cid, "ada", "m1", at(2)).await;
    let ada = ids(&["ada"]);

    let deleted = store.delete_users(&ada, true, at(3)).await.unwrap().remove(0);
    assert_eq!(deleted.deleted_at, Some(at(3)));
    assert_eq!(store.message("m1").await.unwrap().unwrap().deleted_at, Some(at(3)));
    assert_eq!(store.channel(&cid).await.unwrap().unwrap().message_count, 0);
    for write in [
        store.upsert_users(&[UserChange::of("ada")], at(4)).await.err(),
        store.update_users(&[UserChange::of("ada")], at(4)).await.err(),
        store.add_members(&cid, &[NewMember::new("ada")], at(4)).await.err(),
    ] {
        assert!(matches!(write, Some(StoreError::Deleted { .. })), "{write:?}");
    }

    store.restore_users(&ada, at(5)).await.unwrap();
    let restored = store.upsert_users(&[named("ada", "Ada")], at(6)).await.unwrap().remove(0);
    assert_eq!(restored.after.deleted_at, None);

    store.erase_users(&ada).await.unwrap();
    assert_eq!(store.user("ada").await.unwrap(), None);
    assert_eq!(store.member_ids(&cid).await.unwrap(), ["bob"]);
    let channel = store.channel(&cid).await.unwrap().unwrap();
    assert_eq!((channel.created_by_id, channel.member_count), (None, 1));
}

#[tokio::test]
async fn reactivation_brings_back_only_what_deactivation_took() {
    let store = store::open("sqlite::memory:").await.unwrap();
    create_users(&store, &["ada"]).await;
    let cid = create_channel(&store, "general", &["ada"]).await;
    for n in 1..=3 {
        say(&store, &cid, "ada", &format!("m{n}"), at(n)).await;
    }
    store.delete_message("m2", at(4)).await.unwrap();
    let ada = ids(&["ada"]);
    store.deactivate_users(&ada, true, at(5)).await.unwrap();
    assert_eq!(store.channel(&cid).await.unwrap().unwrap().message_count, 0);
    let ada = store.reactivate_users(&ada, true, at(6)).await.unwrap().remove(0);
    assert_eq!(ada.deactivated_at, None);
    let left = store.latest_messages(&[cid], 10).await.unwrap();
    let left: Vec<_> = left.iter().filter(|m| m.deleted_at.is_none()).map(|m| m.id.as_str()).collect();
    assert_eq!(left, ["m1", "m3"]);
}

#[tokio::test]
async fn a_deleted_channel_is_gone_until_it_is_made_anew() {
    let store = store::open("sqlite::memory:").await.unwrap();
    create_users(&store, &["ada", "bob"]).await;
    let cid = create_channel(&store, "general", &["ada", "bob"]).await;
    say(&store, &cid, "ada", "m1", at(2)).await;
    let deleted = store.delete_channels(std::slice::from_ref(&cid), at(3)).await.unwrap();
    assert_eq!(deleted[0].deleted_at, Some(at(3)));
    assert_eq!(store.channel(&cid).await.unwrap(), None);
    assert!(store.channels_of("ada").await.unwrap().is_empty());
    assert_eq!(store.unread("bob").await.unwrap(), Unread::default());

    create_channel(&store, "general", &["bob"]).await;
    assert_eq!(store.member_ids(&cid).await.unwrap(), ["bob"]);
    assert_eq!(store.message("m1").await.unwrap(), None);
}

#[tokio::test]
async fn what_a_member_has_not_read_is_counted() {
    let store = store::open("sqlite::memory:").await.unwrap();
    create_users(&store, &["ada", "bob"]).await;
    let one = create_channel(&store, "one", &["ada", "bob"]).await;
    let two = create_channel(&store, "two", &["ada", "bob"]).await;
    for (n, cid) in [(2, &one), (3, &one), (4, &two)] {
        say(&store, cid, "ada", &format!("m{n}"), at(n)).await;
    }
    assert_eq!(store.unread("bob").await.unwrap(), Unread { messages: 3, channels: 2 });
    assert_eq!(store.unread("ada").await.unwrap(), Unread::default(), "one's own are read");

    let read = store.mark_read(&one, "bob", Some("m2"), at(9)).await.unwrap();
    assert_eq!((read.unread_messages, read.last_read), (1, at(2)));
    let all = store.mark_all_read("bob", at(9)).await.unwrap();
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|read| read.unread_messages == 0 && read.last_read == at(9)));
    assert_eq!(store.unread("bob").await.unwrap(), Unread::default());
    let cids = [one, two];
    let reads = store.reads(&cids, 1).await.unwrap();
    assert_eq!(reads.iter().map(|read| &*read.user_id).collect::<Vec<_>>(), ["ada", "ada"]);
    assert_eq!(store.reads_by("bob", &cids).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_hidden_channel_comes_back_when_somebody_writes() {
    let store = store::open("sqlite::memory:").await.unwrap();
    create_users(&store, &["ada", "bob"]).await;
    let cid = create_channel(&store, "general", &["ada", "bob"]).await;
    let mine = ChannelQuery { viewer: Some("bob".to_owned()), members_only: true, ..ChannelQuery::default() };
    let found = async || store.query_channels(&mine).await.unwrap().len();
    let member = store.hide_channel(&cid, "bob", true, at(2)).await.unwrap();
    assert_eq!(member.hide_messages_before, Some(at(2)));
    assert_eq!(found().await, 0);
    say(&store, &cid, "ada", "m1", at(3)).await;
    assert_eq!(found().await, 1);
    store.hide_channel(&cid, "bob", false, at(4)).await.unwrap();
    assert_eq!(found().await, 0);
    store.show_channel(&cid, "bob", at(5)).await.unwrap();
    assert_eq!(found().await, 1);
}

#[tokio::test]
async fn an_invitation_is_answered_once() {
    let store = store::open("sqlite::memory:").await.unwrap();
    create_users(&store, &["ada", "bob"]).await;
    let cid = create_channel(&store, "general", &["ada"]).await;
    let guest = NewMember { invited: true, ..NewMember::new("bob") };
    let added = store.add_members(&cid, &[guest, NewMember::new("ada")], at(2)).await.unwrap();
    assert_eq!(added.len(), 1, "who is a member already is not added again");
    assert_eq!((added[0].invite, added[0].invited_at), (Some(Invite::Pending), Some(at(2))));
    let accept = MemberChange { invite: Some(Invite::Accepted), ..MemberChange::default() };
    let accept = [("bob".to_owned(), accept)];
    let bob = store.update_members(&cid, &accept, at(3)).await.unwrap().remove(0);
    assert_eq!(bob.after.invite_accepted_at, Some(at(3)));
    let again = store.update_members(&cid, &accept, at(4)).await.unwrap().remove(0);
    assert!(!again.is_changed());
}

#[tokio::test]
async fn a_message_is_written_once() {
    let store = store::open("sqlite::memory:").await.unwrap();
    create_users(&store, &["ada"]).await;
    let cid = create_channel(&store, "general", &["ada"]).await;
    say(&store, &cid, "ada", "m1", at(2)).await;
    let again =
        NewMessage { id: "m1".to_owned(), cid: cid.clone(), user_id: "ada".to_owned(), ..NewMessage::default() };
    let refused = store.insert_message(&again, at(3)).await;
    assert!(matches!(refused, Err(StoreError::AlreadyExists { what: "message", .. })), "{refused:?}");

    let change = MessageChange { text: Change::Set("bye".to_owned()), ..MessageChange::default() };
    let edited = store.update_message("m1", &change, at(4)).await.unwrap();
    assert_eq!((edited.after.text.as_str(), edited.after.updated_at), ("bye", at(4)));
    store.erase_message("m1").await.unwrap();
    let channel = store.channel(&cid).await.unwrap().unwrap();
    assert_eq!((channel.message_count, channel.last_message_at), (0, None));
}

#[tokio::test]
async fn revoked_tokens_and_tasks_are_remembered() {
    let database = Database::new();
    let store = database.open().await;
    create_users(&store, &["ada"]).await;
    store.revoke_tokens(Some(at(1))).await.unwrap();
    store.revoke_user_tokens("ada", Some(at(2))).await.unwrap();
    let task = Task {
        id: "t1".to_owned(),
        status: TaskStatus::Running,
        result: json!({}),
        created_at: at(1),
        updated_at: at(1),
    };
    store.put_task(&task).await.unwrap();
    let task = Task { status: TaskStatus::Completed, result: json!({ "ada": { "status": "ok" } }), ..task };
    store.put_task(&task).await.unwrap();
    store.close().await;

    let store = database.open().await;
    assert_eq!(store.tokens_revoked_before().await.unwrap(), Some(at(1)));
    let ada = store.user("ada").await.unwrap().unwrap();
    assert_eq!(ada.revoke_tokens_issued_before, Some(at(2)));
    assert_eq!(store.task("t1").await.unwrap(), Some(task));
    store.revoke_tokens(None).await.unwrap();
    assert_eq!(store.tokens_revoked_before().await.unwrap(), None);
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_says_why() {
    let error = async |url: &str| store::open(url).await.err().unwrap().to_string();
    let refused = error("mysql://root:secret@localhost/db").await;
    assert_eq!(refused, "the database failed: no database is called \"mysql\", write sqlite://path");
    let refused = error("sqlite:///no/such/directory/rollcall.db").await;
    assert!(refused.contains("unable to open database file"), "{refused}");
}
