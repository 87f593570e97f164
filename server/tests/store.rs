//! The store, in the words of those who rely on it.

use rollcall_server::query::{Path, UserQuery};
use rollcall_server::store::{
    self, Change, CustomChange, MessagePage, NewChannel, NewMember, NewMessage, Store, StoreError,
    Timestamp, UserChange,
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
    assert_eq!(hidden.after.updated_at, at(1));

    let again = store.upsert_users(&[UserChange::of("ada")], at(2)).await.unwrap().remove(0);
    assert!(!again.is_changed());
    assert_eq!(again.after.updated_at, at(1), "a write that changes nothing is not an update");
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

    let stranger = store.add_members("messaging:none", &[NewMember::new("ada")], at(1)).await;
    assert!(matches!(stranger, Err(StoreError::NotFound { what: "channel", .. })), "{stranger:?}");
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
