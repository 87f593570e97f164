//! What is written is written whole, and stays.

use rollcall_server::store::{self, Change, NewMember, StoreError, UserChange};
use serde_json::json;

use crate::{Database, at, create_channel, create_users, ids, named, say, sighting, with};

stories!(
    who_is_online_is_remembered_for_the_next_start,
    what_was_written_is_there_after_a_restart,
    one_bad_entry_fails_the_whole_batch,
    of_writes_at_the_same_time_only_the_bad_ones_fail,
    a_caller_who_goes_away_leaves_nothing_half_written
);

async fn who_is_online_is_remembered_for_the_next_start(database: Database) {
    let store = database.open().await;
    create_users(&store, &["ada", "bob", "eve"]).await;
    let seen = [sighting("ada", true, Some(at(1))), sighting("bob", true, Some(at(1))), sighting("bob", false, None)];
    store.record_presence(&seen, &[]).await.unwrap();
    store.close().await;
    let store = database.open().await;
    assert_eq!(store.online_users().await.unwrap(), ["ada"]);
    assert_eq!(store.user("bob").await.unwrap().unwrap().last_active, Some(at(1)));
}

async fn what_was_written_is_there_after_a_restart(database: Database) {
    let store = database.open().await;
    let mut ada = with("ada", json!({ "status": "Eating a veggie burger...", "address": { "city": "Łódź" } }));
    ada.name = Change::Set("Ada".to_owned());
    ada.invisible = Change::Set(true);
    store.upsert_users(&[ada, UserChange::of("bob")], at(0)).await.unwrap();
    store.record_presence(&[sighting("bob", true, Some(at(5)))], &[]).await.unwrap();
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

async fn one_bad_entry_fails_the_whole_batch(database: Database) {
    let store = database.open().await;
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

async fn of_writes_at_the_same_time_only_the_bad_ones_fail(database: Database) {
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

async fn a_caller_who_goes_away_leaves_nothing_half_written(database: Database) {
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

/// Locks taken in different orders would wait for each other in a circle, and Postgres ends one.
#[tokio::test]
async fn several_servers_write_the_same_records_at_once_and_none_fails() {
    let Some(database) = Database::postgres().await else { return };
    let servers = [database.open().await, database.open().await, database.open().await];
    let names: Vec<String> = (0..6).map(|n| format!("user{n}")).collect();
    let mut writers = Vec::new();
    for (n, store) in servers.iter().cycle().take(12).cloned().enumerate() {
        let mut names = names.clone();
        names.rotate_left(n % 6);
        writers.push(tokio::spawn(async move {
            for round in 0..10 {
                let changes: Vec<_> = names.iter().map(|name| named(name, &format!("{n}-{round}"))).collect();
                store.upsert_users(&changes, at(round)).await.unwrap();
                let members: Vec<&str> = names.iter().map(String::as_str).collect();
                let cid = create_channel(&store, &format!("channel{}", round % 3), &members).await;
                say(&store, &cid, &names[0], &format!("{n}-{round}"), at(round)).await;
                let seen: Vec<_> = names.iter().map(|name| sighting(name, true, Some(at(round)))).collect();
                store.record_presence(&seen, &[]).await.unwrap();
                store.mark_all_read(&names[1], at(round)).await.unwrap();
                store.remove_members(&cid, &names[2..3]).await.unwrap();
                store.add_members(&cid, &[NewMember::new(&names[2])], at(round)).await.unwrap();
                store.deactivate_users(&names[3..5], true, at(round)).await.unwrap();
                store.reactivate_users(&names[3..5], true, at(round)).await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let store = &servers[0];
    let cids = ["messaging:channel0", "messaging:channel1", "messaging:channel2"].map(str::to_owned);
    let messages: u32 = store.channels(&cids).await.unwrap().iter().map(|channel| channel.message_count).sum();
    assert_eq!(messages, 120, "every message is counted");
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_says_why() {
    let error = async |url: &str| store::open(url, store::Limits::default()).await.err().unwrap().to_string();
    let refused = error("mysql://root:secret@localhost/db").await;
    assert_eq!(
        refused,
        "the database failed: no database is called \"mysql\", write sqlite://path or postgres://host/name"
    );
    let refused = error("sqlite:///no/such/directory/rollcall.db").await;
    assert!(refused.contains("/no/such/directory/rollcall.db.lock: No such file"), "{refused}");
}
