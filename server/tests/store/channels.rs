//! Channels and what is in them.

use rollcall_server::store::{NewChannel, NewMember, StoreError, Unread};
use serde_json::json;

use crate::{Database, at, create_channel, create_users, ids, say};

stories!(
    of_many_who_open_a_channel_at_once_one_creates_it,
    a_channel_with_a_stranger_is_not_created,
    the_state_of_several_channels_comes_in_one_go,
    a_deleted_channel_is_gone_until_it_is_made_anew
);

async fn of_many_who_open_a_channel_at_once_one_creates_it(database: Database) {
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

async fn a_channel_with_a_stranger_is_not_created(database: Database) {
    let store = database.open().await;
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

async fn the_state_of_several_channels_comes_in_one_go(database: Database) {
    let store = database.open().await;
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

async fn a_deleted_channel_is_gone_until_it_is_made_anew(database: Database) {
    let store = database.open().await;
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
