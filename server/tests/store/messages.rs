//! Messages.

use rollcall_server::store::{Change, MessageChange, MessagePage, NewMessage, StoreError};

use crate::{Database, at, create_channel, create_users, say};

stories!(messages_are_paged_in_both_directions, a_message_is_written_once);

async fn messages_are_paged_in_both_directions(database: Database) {
    let store = database.open().await;
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
    assert_eq!(page(MessagePage { after: m3, inclusive: true, ..two.clone() }).await, ["m3", "m4"]);
    let around = async |id: &str, limit| {
        page(MessagePage { limit, around: Some(id.to_owned()), ..MessagePage::default() }).await
    };
    assert_eq!(around("m3", 3).await, ["m2", "m3", "m4"]);
    assert_eq!(around("m3", 2).await, ["m2", "m3"]);
    assert_eq!(around("m1", 3).await, ["m1", "m2", "m3"]);
    assert_eq!(around("m5", 3).await, ["m4", "m5"]);
}

async fn a_message_is_written_once(database: Database) {
    let store = database.open().await;
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
