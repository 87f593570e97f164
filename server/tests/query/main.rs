//! The database's answer to a query is the one a reader of the protocol would give.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod channels;
mod naive;
#[path = "../common/postgres.rs"]
mod postgres;
mod random;
mod users;

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;

use proptest::prelude::*;
use rollcall_server::query::{self, ChannelField, Filter, MemberField, Sort, UserField};
use rollcall_server::store::{self, Store};
use serde_json::Value;
use sqlx::{ConnectOptions, Executor};

/// Runs a story with I/O inside a property.
fn run<T>(story: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(story)
}

/// An empty store in each of the databases.
async fn stores() -> Vec<Arc<dyn Store>> {
    let mut stores = vec![store::open("sqlite::memory:", store::Limits::default()).await.unwrap()];
    if let Some(url) = emptied().await {
        stores.push(store::open(&url, store::Limits::default()).await.unwrap());
    }
    stores
}

/// A Postgres database that the test keeps from case to case: making one takes longer than a case.
async fn emptied() -> Option<String> {
    thread_local! {
        static KEPT: RefCell<Option<String>> = const { RefCell::new(None) };
    }
    let postgres = postgres::shared()?;
    if let Some(url) = KEPT.with_borrow(Clone::clone) {
        let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
        let mut connection = options.connect().await.unwrap();
        connection.execute("DELETE FROM channels; DELETE FROM users").await.unwrap();
        return Some(url);
    }
    let url = postgres.database().await;
    KEPT.set(Some(url.clone()));
    Some(url)
}

/// Any JSON at all, with a liking for what filters are made of.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        proptest::sample::select(vec![
            "$and", "$or", "$nor", "$eq", "$in", "$gt", "$exists", "$q", "id", "name", "a.b"
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(12, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::hash_map(text.clone(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_a_filter_or_a_clear_error(json in any_json()) {
        let refusals = [
            Filter::<UserField>::parse(&json, &query::Limits::default()).err(),
            Filter::<ChannelField>::parse(&json, &query::Limits::default()).err(),
            Filter::<MemberField>::parse(&json, &query::Limits::default()).err(),
            Sort::<UserField>::parse(&json).err(),
        ];
        for refusal in refusals.into_iter().flatten() {
            prop_assert!(!refusal.to_string().is_empty());
        }
    }
}
