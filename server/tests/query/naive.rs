//! What a filter and a sort mean, in the plainest way: record by record, from the caller's JSON.

use std::cmp::Ordering;

use rollcall_server::store::Timestamp;
use serde_json::Value;

/// What a record has in one of its fields.
pub enum Held {
    One(Option<Value>),
    Time(Option<Timestamp>),
    Many(Vec<String>),
}

pub trait Record {
    /// Breaks ties.
    fn key(&self) -> &str;
    fn field(&self, name: &str) -> Held;
}

/// What is at a dotted path of an object.
pub fn at_path(custom: &serde_json::Map<String, Value>, path: &str) -> Option<Value> {
    match path.split_once('.') {
        None => custom.get(path).cloned(),
        Some((first, rest)) => at_path(custom.get(first)?.as_object()?, rest),
    }
}

/// A custom field that counts only when it is a text.
pub fn text_at(custom: &serde_json::Map<String, Value>, path: &str) -> Option<Value> {
    at_path(custom, path).filter(Value::is_string)
}

pub fn matches(record: &dyn Record, filter: &Value) -> bool {
    let list = |of: &Value| of.as_array().unwrap().clone();
    filter.as_object().unwrap().iter().all(|(key, operand)| match key.as_str() {
        "$and" => list(operand).iter().all(|filter| matches(record, filter)),
        "$or" => list(operand).iter().any(|filter| matches(record, filter)),
        "$nor" => !list(operand).iter().any(|filter| matches(record, filter)),
        name => match operand.as_object() {
            Some(operators) if operators.keys().any(|key| key.starts_with('$')) => {
                operators.iter().all(|(operator, operand)| passes(&record.field(name), operator, operand))
            }
            _ => passes(&record.field(name), "$eq", operand),
        },
    })
}

fn passes(held: &Held, operator: &str, operand: &Value) -> bool {
    match held {
        Held::One(value) => value_passes(value.as_ref(), operator, operand),
        Held::Time(time) => {
            let micros = |time: Timestamp| Value::from(time.as_microsecond());
            let operand = match operand {
                Value::String(text) => micros(text.parse().unwrap()),
                Value::Array(texts) => {
                    texts.iter().map(|text| micros(text.as_str().unwrap().parse().unwrap())).collect()
                }
                other => other.clone(),
            };
            value_passes(time.map(micros).as_ref(), operator, &operand)
        }
        Held::Many(values) => match (operator, operand) {
            ("$eq", Value::Null) => values.is_empty(),
            ("$eq", Value::Array(wanted)) => {
                values.iter().all(|value| wanted.contains(&value.as_str().into()))
                    && wanted.iter().all(|wanted| values.iter().any(|value| wanted == value))
            }
            (_, Value::Array(wanted)) => values.iter().any(|value| wanted.contains(&value.as_str().into())),
            ("$autocomplete", wanted) => {
                values.iter().any(|value| value_passes(Some(&value.as_str().into()), operator, wanted))
            }
            (_, wanted) => values.iter().any(|value| wanted == value),
        },
    }
}

fn value_passes(value: Option<&Value>, operator: &str, operand: &Value) -> bool {
    let list = || operand.as_array().unwrap().iter();
    let is_in = |value: &Value| {
        let mut candidates = vec![value];
        candidates.extend(value.as_array().into_iter().flatten());
        list().any(|wanted| candidates.iter().any(|candidate| same(candidate, wanted)))
    };
    let compared = |accepts: fn(Ordering) -> bool| value.and_then(|value| compare(value, operand)).is_some_and(accepts);
    match operator {
        "$eq" => value.is_some_and(|value| same(value, operand)),
        "$ne" => !value.is_some_and(|value| same(value, operand)),
        "$exists" => value.is_some() == operand.as_bool().unwrap(),
        "$gt" => compared(Ordering::is_gt),
        "$gte" => compared(Ordering::is_ge),
        "$lt" => compared(Ordering::is_lt),
        "$lte" => compared(Ordering::is_le),
        "$in" => value.is_some_and(is_in),
        "$nin" => !value.is_some_and(is_in),
        "$contains" => {
            value.and_then(Value::as_array).is_some_and(|items| items.iter().any(|item| same(item, operand)))
        }
        "$autocomplete" => {
            let wanted = format!(" {}", in_words(operand.as_str().unwrap()));
            value.and_then(Value::as_str).is_some_and(|text| format!(" {}", in_words(text)).contains(&wanted))
        }
        "$q" => {
            let wanted = in_words(operand.as_str().unwrap());
            value.and_then(Value::as_str).is_some_and(|text| in_words(text).contains(&wanted))
        }
        other => panic!("{other}"),
    }
}

fn in_words(text: &str) -> String {
    let text = text.to_lowercase().replace(|c: char| c.is_ascii_punctuation(), " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// The keys of those of `records` that match, in the order of `sort`: `(field, descending)`.
pub fn answer(records: &[&dyn Record], filter: &Value, sort: &[(String, bool)]) -> Vec<String> {
    let mut found: Vec<&&dyn Record> = records.iter().filter(|record| matches(**record, filter)).collect();
    found.sort_by(|a, b| {
        let by_field =
            sort.iter().map(|(field, descending)| match (sort_key(a.field(field)), sort_key(b.field(field))) {
                (Some(a), Some(b)) if *descending => b.partial_cmp(&a).unwrap(),
                (Some(a), Some(b)) => a.partial_cmp(&b).unwrap(),
                (a, b) => a.is_none().cmp(&b.is_none()),
            });
        by_field.fold(Ordering::Equal, Ordering::then).then_with(|| a.key().cmp(b.key()))
    });
    found.into_iter().map(|record| record.key().to_owned()).collect()
}

/// Numbers come before texts.
#[derive(PartialEq, PartialOrd)]
enum SortKey {
    Number(f64),
    Text(String),
}

fn sort_key(held: Held) -> Option<SortKey> {
    let value = match held {
        Held::Time(time) => Value::from(time?.as_microsecond()),
        Held::One(value) => value?,
        Held::Many(_) => panic!("a list has no place in an order"),
    };
    match value {
        Value::Null => None,
        Value::Bool(bool) => Some(SortKey::Number(f64::from(u8::from(bool)))),
        Value::Number(number) => number.as_f64().map(SortKey::Number),
        Value::String(text) => Some(SortKey::Text(text)),
        json => Some(SortKey::Text(json.to_string())),
    }
}
