//! Random records, filters and sorts, out of few enough values that they often meet.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rollcall_server::query::{Field, Kind, Operator};
use rollcall_server::store::{Custom, Timestamp};
use serde_json::{Value, json};

/// Custom fields, of which some need care in a path.
const FIELDS: [&str; 8] = ["status", "level", "tags", "tags[0]", "quo\"te", "back\\slash", "größe", "o'clock') --"];
/// The same and one inside another.
const PATHS: [&str; 10] = [
    "status",
    "level",
    "tags",
    "tags[0]",
    "quo\"te",
    "back\\slash",
    "größe",
    "o'clock') --",
    "nested.level",
    "nested.no.such",
];
const TEXTS: [&str; 14] = [
    "",
    "a",
    "A",
    "ab",
    "1",
    "true",
    "Łódź",
    "Jim Lahey",
    "jim-bob's bar",
    "a\"b\\c",
    "%_",
    "\u{1}\n😀",
    "'; DROP TABLE users; --",
    "$1 ?1 ') OR 1 = 1",
];
pub const TAGS: [&str; 4] = ["red", "green", "a\"b", "%"];
pub const USERS: [&str; 5] = ["ada", "bob", "cay", "Dan_the-man", "@eve"];

/// Seconds after some moment.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub fn text() -> impl Strategy<Value = String> {
    select(&TEXTS[..]).prop_map(str::to_owned)
}

pub fn tags() -> impl Strategy<Value = Vec<String>> {
    subsequence(&TAGS[..], 0..=TAGS.len()).prop_map(|tags| tags.into_iter().map(str::to_owned).collect())
}

fn number() -> impl Strategy<Value = Value> {
    select(vec![json!(0), json!(1), json!(1.0), json!(-2), json!(2.5), json!(0.1), json!(1e300), json!(1_u64 << 40)])
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![text().prop_map(Value::from), number(), any::<bool>().prop_map(Value::from), Just(Value::Null)]
}

pub fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => scalar(),
        1 => vec(scalar(), 0..3).prop_map(Value::from),
        1 => vec(vec(scalar(), 0..2).prop_map(Value::from), 1..2).prop_map(Value::from),
        1 => scalar().prop_map(|value| json!({ "x": value })),
    ]
}

/// Custom data; `also` are fields that exist in practice.
pub fn custom(also: &'static [&'static str]) -> impl Strategy<Value = Custom> {
    let names: Vec<&str> = FIELDS.iter().chain(also).copied().collect();
    (btree_map(select(names), value(), 0..6), proptest::option::of(value())).prop_map(|(fields, nested)| {
        let mut custom: Custom = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        if let Some(level) = nested {
            custom.insert("nested".to_owned(), json!({ "level": level }));
        }
        custom
    })
}

fn operand(kind: Option<Kind>) -> BoxedStrategy<Value> {
    match kind {
        None => value().boxed(),
        Some(Kind::Text) => prop_oneof![
            text(),
            select(&USERS[..]).prop_map(str::to_owned),
            tags().prop_map(|tags| tags.first().cloned().unwrap_or_else(|| "messaging:one".to_owned()))
        ]
        .prop_map(Value::from)
        .boxed(),
        Some(Kind::Bool) => any::<bool>().prop_map(Value::from).boxed(),
        Some(Kind::Integer) => (0..4_i64).prop_map(Value::from).boxed(),
        Some(Kind::Time) => (0..8_i64).prop_map(|second| json!(at(second))).boxed(),
        Some(Kind::TextSet) => {
            let member = select(TAGS.iter().chain(&USERS).copied().collect::<Vec<_>>());
            member.prop_map(Value::from).boxed()
        }
    }
}

fn operands(kind: Option<Kind>, operator: Operator) -> BoxedStrategy<Value> {
    match operator {
        Operator::Exists => any::<bool>().prop_map(Value::from).boxed(),
        Operator::In | Operator::Nin => vec(operand(kind), 0..4).prop_map(Value::from).boxed(),
        Operator::Autocomplete | Operator::Q => {
            select(vec!["a", "J", "lahey", "im la", "ŁÓ", "bob'", "jim bob", "1", "dan the", "😀"])
                .prop_map(Value::from)
                .boxed()
        }
        Operator::Eq if kind == Some(Kind::TextSet) => prop_oneof![
            operand(kind),
            Just(Value::Null),
            tags().prop_map(Value::from),
            subsequence(&USERS[..], 0..4).prop_map(Value::from),
        ]
        .boxed(),
        Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte if kind.is_none() => {
            prop_oneof![text().prop_map(Value::from), number()].boxed()
        }
        _ => operand(kind),
    }
}

/// A filter of which every part is allowed.
pub fn filter<F: Field>(fields: &'static [F]) -> impl Strategy<Value = Value> {
    let fields: Vec<F> = fields.iter().copied().filter(|field| !field.rule().operators.is_empty()).collect();
    let builtin = select(fields).prop_flat_map(|field| {
        let rule = field.rule();
        select(rule.operators).prop_flat_map(move |operator| {
            operands(Some(rule.kind), operator).prop_map(move |operand| (field.name(), operator, operand))
        })
    });
    let custom = select(&PATHS[..]).prop_flat_map(|path| {
        select(F::CUSTOM)
            .prop_flat_map(move |operator| operands(None, operator).prop_map(move |operand| (path, operator, operand)))
    });
    let condition = prop_oneof![builtin, custom].prop_map(|(name, operator, operand)| match operator {
        // An object with operators in it is not a bare value.
        Operator::Eq if !operand.is_object() => json!({ name: operand }),
        operator => json!({ name: { operator.name(): operand } }),
    });
    condition.prop_recursive(3, 12, 3, |inner| {
        (select(vec!["$and", "$or", "$nor"]), vec(inner, 1..4)).prop_map(|(logic, filters)| json!({ logic: filters }))
    })
}

/// Fields to sort by, and whether descending.
pub fn sort<F: Field>(fields: &'static [F]) -> impl Strategy<Value = Vec<(String, bool)>> {
    let names = fields.iter().filter(|field| field.rule().sortable).map(|field| field.name());
    let names: Vec<&str> = names.chain(PATHS).collect();
    vec((select(names).prop_map(str::to_owned), any::<bool>()), 1..=F::SORTS.min(3))
}

pub fn sort_json(sort: &[(String, bool)]) -> Value {
    let entry = |(field, descending): &(String, bool)| {
        let direction = if *descending { -1 } else { 1 };
        json!({ "field": field, "direction": direction })
    };
    sort.iter().map(entry).collect()
}
