//! The store, in the words of those who rely on it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

/// Tells each story once of every database.
macro_rules! stories {
    ($($story:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $story() { super::$story(crate::Database::sqlite()).await })*
        }
        mod postgres {
            $(#[tokio::test] async fn $story() {
                if let Some(database) = crate::Database::postgres().await { super::$story(database).await }
            })*
        }
    };
}

mod app;
mod channels;
mod durability;
mod flips;
mod hostile;
mod members;
mod messages;
#[path = "../common/postgres.rs"]
mod postgres;
mod users;

use std::sync::Arc;

use rollcall_server::store::{
    self, Change, CustomChange, NewChannel, NewMember, NewMessage, Sighting, Store, Timestamp, UserChange,
};
use serde_json::Value;
use tempfile::TempDir;

/// A database of its own for each test.
struct Database {
    url: String,
    /// Goes with the test.
    _directory: Option<TempDir>,
}

impl Database {
    fn sqlite() -> Self {
        let directory = TempDir::new().unwrap();
        let url = format!("sqlite://{}", directory.path().join("rollcall.db").display());
        Self { url, _directory: Some(directory) }
    }

    async fn postgres() -> Option<Self> {
        let url = postgres::shared()?.database().await;
        Some(Self { url, _directory: None })
    }

    async fn open(&self) -> Arc<dyn Store> {
        store::open(&self.url, store::Limits::default()).await.unwrap()
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

fn sighting(user: &str, online: bool, last_active: Option<Timestamp>) -> Sighting {
    Sighting { user: user.to_owned(), online, last_active }
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
