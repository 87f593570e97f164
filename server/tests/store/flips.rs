//! What the webhook was not told is kept, and told by one server.

use rollcall_server::store::Flip;

use crate::{Database, at, create_users, ids, sighting};

stories!(
    the_newest_flip_of_each_user_is_kept_until_it_is_told,
    a_flip_is_told_by_whoever_claimed_it_last,
    who_is_erased_leaves_nothing_to_tell
);

fn flip(id: &str, user: &str, online: bool, second: i64) -> Flip {
    Flip { id: id.to_owned(), user: user.to_owned(), online, at: at(second), claimed_at: at(second) }
}

async fn the_newest_flip_of_each_user_is_kept_until_it_is_told(database: Database) {
    let store = database.open().await;
    create_users(&store, &["ada", "bob"]).await;
    let seen = [sighting("ada", true, None), sighting("bob", true, None)];
    let flips = [flip("1", "ada", true, 1), flip("2", "bob", true, 1), flip("3", "nobody", true, 1)];
    store.record_presence(&seen, &flips).await.unwrap();
    let flips = [flip("4", "ada", false, 2), flip("5", "ada", true, 3)];
    store.record_presence(&[sighting("ada", true, None)], &flips).await.unwrap();
    // An older one that is told leaves the newer one alone.
    store.forget_flip(&flip("1", "ada", true, 1)).await.unwrap();
    store.forget_flip(&flip("2", "bob", true, 1)).await.unwrap();
    store.close().await;

    let store = database.open().await;
    let left = store.claim_flips(at(3), at(9)).await.unwrap();
    assert_eq!(left, [Flip { claimed_at: at(9), ..flip("5", "ada", true, 3) }]);
}

async fn a_flip_is_told_by_whoever_claimed_it_last(database: Database) {
    let store = database.open().await;
    create_users(&store, &["ada", "bob"]).await;
    let mine = flip("1", "ada", true, 1);
    store.record_presence(&[], &[mine.clone(), flip("2", "bob", true, 5)]).await.unwrap();
    assert!(store.renew_flip(&mine, at(2)).await.unwrap());
    let mine = Flip { claimed_at: at(2), ..mine };
    let taken = store.claim_flips(at(3), at(6)).await.unwrap();
    assert_eq!(taken, [Flip { claimed_at: at(6), ..mine.clone() }], "bob's is not abandoned");
    assert!(!store.renew_flip(&mine, at(7)).await.unwrap(), "it is another's");
    assert!(store.renew_flip(&taken[0], at(8)).await.unwrap());
    store.forget_flip(&taken[0]).await.unwrap();
    assert_eq!(store.claim_flips(at(4), at(9)).await.unwrap(), []);
}

async fn who_is_erased_leaves_nothing_to_tell(database: Database) {
    let store = database.open().await;
    create_users(&store, &["ada"]).await;
    store.record_presence(&[], &[flip("1", "ada", true, 1)]).await.unwrap();
    store.erase_users(&ids(&["ada"])).await.unwrap();
    assert_eq!(store.claim_flips(at(9), at(9)).await.unwrap(), []);
}
