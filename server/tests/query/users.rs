use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rollcall_server::query::{self, Filter, IdRange, Sort, UserField, UserQuery};
use rollcall_server::store::{Change, CustomChange, Sighting, Store, Timestamp, User, UserChange};
use serde_json::{Value, json};

use crate::naive::{self, Held, Record, at_path, text_at};
use crate::random::{self, at, sort_json};
use crate::{any_json, run, stores};

impl Record for User {
    fn key(&self) -> &str {
        &self.id
    }

    fn field(&self, name: &str) -> Held {
        let text = |text: &str| Held::One(Some(text.into()));
        match name {
            "id" => text(&self.id),
            "name" => Held::One(self.name.clone().map(Value::from)),
            "role" => text(&self.role),
            "language" => text(&self.language),
            "teams" => Held::Many(self.teams.clone()),
            "banned" => Held::One(Some(self.banned.into())),
            "shadow_banned" | "bypass_moderation" => Held::One(Some(false.into())),
            "created_at" => Held::Time(Some(self.created_at)),
            "updated_at" => Held::Time(Some(self.updated_at)),
            "last_active" => Held::Time(self.last_active),
            "username" | "email" => Held::One(text_at(&self.custom, name)),
            path => Held::One(at_path(&self.custom, path)),
        }
    }
}

/// A user to be, when they are created and when they were last there.
fn user() -> impl Strategy<Value = (UserChange, Timestamp, Option<Timestamp>)> {
    let roles = select(vec!["user", "admin", "a"]).prop_map(str::to_owned);
    (
        proptest::option::of(random::text()),
        roles,
        random::tags(),
        random::text(),
        any::<bool>(),
        random::custom(&["username", "email"]),
        0..8_i64,
        proptest::option::of(0..8_i64),
    )
        .prop_map(|(name, role, teams, language, banned, custom, created, active)| {
            let change = UserChange {
                name: name.map_or(Change::Keep, Change::Set),
                role: Change::Set(role),
                teams: Change::Set(teams),
                language: Change::Set(language),
                banned: Change::Set(banned),
                custom: CustomChange::set_all(custom),
                ..UserChange::default()
            };
            (change, at(created), active.map(at))
        })
}

async fn fill(store: &Arc<dyn Store>, users: &[(UserChange, Timestamp, Option<Timestamp>)]) -> Vec<User> {
    let ids: Vec<String> = random::USERS.iter().map(|&id| id.to_owned()).collect();
    for (id, (change, created, active)) in ids.iter().zip(users) {
        let change = UserChange { id: id.clone(), ..change.clone() };
        store.upsert_users(&[change], *created).await.unwrap();
        let seen = Sighting { user: id.clone(), online: false, last_active: *active };
        store.record_presence(&[seen], &[]).await.unwrap();
    }
    store.users(&ids).await.unwrap()
}

async fn found(store: &Arc<dyn Store>, query: &UserQuery) -> Vec<String> {
    store.query_users(query).await.unwrap().into_iter().map(|user| user.id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_query_of_users_answers_as_the_naive_one_does(
        users in vec(user(), random::USERS.len()),
        queries in vec((random::filter(UserField::ALL), random::sort(UserField::ALL)), 8),
        offset in 0..3_u32,
        limit in 1..6_u32,
    ) {
        run(async {
            for store in stores().await {
                let users = fill(&store, &users).await;
                let records: Vec<&dyn Record> = users.iter().map(|user| user as &dyn Record).collect();
                for (filter, sort) in &queries {
                    let query = UserQuery {
                        filter: Filter::parse(filter, &query::Limits::default()).unwrap(),
                        sort: Sort::parse(&sort_json(sort)).unwrap(),
                        offset,
                        limit,
                        ..UserQuery::default()
                    };
                    let expected = naive::answer(&records, filter, sort);
                    let expected = expected.into_iter().skip(offset as usize).take(limit as usize);
                    let expected: Vec<String> = expected.collect();
                    prop_assert_eq!(found(&store, &query).await, expected, "{} sorted by {:?}", filter, sort);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_query_of_random_json_is_answered_or_refused(user in user(), filters in vec(any_json(), 8)) {
        run(async {
            for store in stores().await {
                fill(&store, std::slice::from_ref(&user)).await;
                for json in &filters {
                    if let Ok(filter) = Filter::parse(json, &query::Limits::default()) {
                        found(&store, &UserQuery { filter, ..UserQuery::default() }).await;
                    }
                }
            }
        });
    }
}

#[tokio::test]
async fn users_who_left_are_found_only_when_asked_for() {
    for store in stores().await {
        let ids = ["ada", "bob", "cay"].map(str::to_owned);
        store.upsert_users(&ids.clone().map(UserChange::of), at(0)).await.unwrap();
        store.deactivate_users(&ids[1..2], false, at(1)).await.unwrap();
        store.delete_users(&ids[2..], false, at(1)).await.unwrap();
        let mut query =
            UserQuery { ids: IdRange { gte: Some(String::new()), ..IdRange::default() }, ..UserQuery::default() };
        assert_eq!(found(&store, &query).await, ["ada"]);
        query.include_deactivated = true;
        assert_eq!(found(&store, &query).await, ["ada", "bob"]);
    }
}

#[test]
fn what_a_filter_may_not_ask_is_said_clearly() {
    let message =
        |filter: Value| Filter::<UserField>::parse(&filter, &query::Limits::default()).unwrap_err().to_string();
    for (filter, expected) in [
        (json!({ "id": 5 }), "field \"id\" expects type string"),
        (json!({ "id": { "$in": ["a", 5] } }), "field \"id\" expects type string"),
        (json!({ "color": { "$ne": "red" } }), "operator $ne is not supported for custom fields"),
        (json!({ "teams": { "$gt": "a" } }), "operator $gt is not supported for field \"teams\""),
        (json!({ "created_at": "yesterday" }), "field \"created_at\" expects type date"),
        (json!({ "invisible": false }), "field \"invisible\" cannot be filtered by"),
        (json!({ "$xor": [] }), "\"$xor\" is not known: use $and, $or or $nor"),
        (json!({ "$or": [] }), "\"$or\" expects a non-empty array of objects"),
        (json!({ "name": { "$like": "a" } }), "operator \"$like\" of field \"name\" is not known"),
        (json!({ "color": { "$gt": true } }), "field \"color\" expects type string or number"),
        (json!({ "a": ["\0"] }), "field \"a\": text may not contain U+0000"),
        (json!({ "a..b": 1 }), "\"a..b\" is not a field's name"),
        (json!([]), "filter must be an object"),
        (json!({ "a": { "$in": vec![1; 1001] } }), "the filter lists more than 1000 values"),
        (json!({ "$or": vec![json!({ "a": 1 }); 101] }), "the filter has more than 100 conditions"),
    ] {
        assert_eq!(message(filter), expected);
    }
    let deep = (0..11).fold(json!({ "a": 1 }), |filter, _| json!({ "$and": [filter] }));
    assert_eq!(message(deep), "the filter is nested more than 10 levels deep");
    let sort = Sort::<UserField>::parse(&json!([{ "field": "invisible", "direction": 1 }]));
    assert_eq!(sort.unwrap_err().to_string(), "field \"invisible\" cannot be sorted by");
}
