//! Users and what they say of themselves.

use rollcall_server::query::{Path, UserQuery};
use rollcall_server::store::{Change, CustomChange, NewMember, StoreError, UserChange};
use serde_json::{Value, json};

use crate::{Database, at, create_channel, create_users, ids, named, say, sighting, with};

stories!(
    an_upsert_keeps_what_it_does_not_name,
    a_partial_update_reaches_into_nested_data,
    last_active_never_goes_back,
    users_are_paged_by_id_or_newest_first,
    a_deleted_user_comes_back_only_by_being_restored,
    reactivation_brings_back_only_what_deactivation_took
);

async fn an_upsert_keeps_what_it_does_not_name(database: Database) {
    let store = database.open().await;
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

async fn a_partial_update_reaches_into_nested_data(database: Database) {
    let store = database.open().await;
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

async fn last_active_never_goes_back(database: Database) {
    let store = database.open().await;
    create_users(&store, &["ada"]).await;
    for second in [20, 10] {
        let seen = ["ada", "nobody"].map(|user| sighting(user, true, Some(at(second))));
        store.record_presence(&seen, &[]).await.unwrap();
    }
    let ada = store.user("ada").await.unwrap().unwrap();
    assert_eq!(ada.last_active, Some(at(20)));
    assert_eq!(ada.updated_at, at(0), "being there is not an update");
}

async fn users_are_paged_by_id_or_newest_first(database: Database) {
    let store = database.open().await;
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

async fn a_deleted_user_comes_back_only_by_being_restored(database: Database) {
    let store = database.open().await;
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

async fn reactivation_brings_back_only_what_deactivation_took(database: Database) {
    let store = database.open().await;
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
