//! What two servers say, made comparable: times by the step of the story in which they lie, random
//! ids by their first appearance. What is equal after that looks the same to everybody.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};

/// Replaces every time and random id in `seen`, all of which one observer saw; `steps` are the
/// times at which the steps of the story began.
pub fn blurred(seen: &Value, steps: &[Timestamp]) -> Value {
    Blur { steps, ids: BTreeMap::new() }.value(seen)
}

/// The time that `value` names: as text, or as the `seq` of a flip, which counts microseconds.
fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => {
            let microsecond = number.as_i64().filter(|number| *number > 1_000_000_000_000_000)?;
            Timestamp::from_microsecond(microsecond).ok()
        }
        _ => None,
    }
}

struct Blur<'s> {
    steps: &'s [Timestamp],
    ids: BTreeMap<String, usize>,
}

impl Blur<'_> {
    fn value(&mut self, value: &Value) -> Value {
        if let Some(time) = time(value) {
            let step = self.steps.iter().filter(|begun| **begun <= time).count();
            return format!("a time in step {step}").into();
        }
        match value {
            Value::Object(fields) => {
                let fields = fields.iter().filter(|(name, _)| *name != "duration");
                fields.map(|(name, value)| (self.text(name), self.value(value))).collect::<Map<_, _>>().into()
            }
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::String(text) => self.text(text).into(),
            other => other.clone(),
        }
    }

    /// Random ids are UUIDs, by themselves or within a text, and the tokens of guests.
    fn text(&mut self, text: &str) -> String {
        if text.starts_with("eyJ") {
            return "a token".to_owned();
        }
        let mut blurred = String::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            match rest.split_at_checked(36) {
                Some((id, after)) if uuid::Uuid::try_parse(id).is_ok() => {
                    let number = self.ids.len();
                    blurred += &format!("id {}", self.ids.entry(id.to_owned()).or_insert(number));
                    rest = after;
                }
                _ => {
                    blurred.push(next);
                    rest = &rest[next.len_utf8()..];
                }
            }
        }
        blurred
    }
}

/// The first place where two observations differ, and what is there: of a thousand lines the one
/// that matters.
pub fn assert_same(hidden: &Value, away: &Value, what: &str) {
    if let Some((place, hidden, away)) = difference(hidden, away, String::new()) {
        panic!("{what}: at {place}\nof one who hides:  {hidden}\nof one who is away: {away}");
    }
}

fn difference(a: &Value, b: &Value, place: String) -> Option<(String, Value, Value)> {
    match (a, b) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
            names.into_iter().find_map(|name| difference(&a[name], &b[name], format!("{place}/{name}")))
        }
        (Value::Array(ours), Value::Array(theirs)) => (0..ours.len().max(theirs.len())).find_map(|index| {
            let item = |items: &[Value]| items.get(index).cloned().unwrap_or("nothing more".into());
            difference(&item(ours), &item(theirs), format!("{place}/{index}"))
        }),
        _ if a == b => None,
        _ => Some((place, a.clone(), b.clone())),
    }
}

#[test]
fn what_is_told_apart_and_what_is_not() {
    use serde_json::json;
    let time = |second| format!("2026-01-01T00:00:0{second}Z");
    let id = uuid::Uuid::new_v4().to_string();
    let other = uuid::Uuid::new_v4().to_string();
    let steps = [1, 4].map(|second| time(second).parse().unwrap());
    let same = |a: Value, b: Value| blurred(&a, &steps) == blurred(&b, &steps);
    assert!(same(json!([time(1), time(5)]), json!([time(3), time(9)])));
    assert!(!same(json!([time(1), time(5)]), json!([time(1), time(1)])));
    assert!(!same(json!(time(0)), json!(time(1))));
    assert!(same(json!([id, id]), json!([other, other])));
    assert!(!same(json!([id, id]), json!([id, other])));
    assert!(same(json!(format!("message {id} is not there")), json!(format!("message {other} is not there"))));
    assert!(!same(json!({ "online": false }), json!({ "online": true })));
    assert!(!same(json!({ "online": false }), json!({})));
}
