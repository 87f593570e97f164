//! Members: invitations, and what they have read and hidden.

use rollcall_server::query::ChannelQuery;
use rollcall_server::store::{Invite, MemberChange, NewMember, Unread};

use crate::{Database, at, create_channel, create_users, say};

stories!(
    what_a_member_has_not_read_is_counted,
    a_hidden_channel_comes_back_when_somebody_writes,
    an_invitation_is_answered_once
);

async fn what_a_member_has_not_read_is_counted(database: Database) {
    let store = database.open().await;
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

async fn a_hidden_channel_comes_back_when_somebody_writes(database: Database) {
    let store = database.open().await;
    create_users(&store, &["ada", "bob"]).await;
    let cid = create_channel(&store, "general", &["ada", "bob"]).await;
    let mine = ChannelQuery { viewer: Some("bob".to_owned()), ..ChannelQuery::default() };
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

async fn an_invitation_is_answered_once(database: Database) {
    let store = database.open().await;
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
