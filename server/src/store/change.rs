//! How a record is changed: what is not named stays as it is.

use serde_json::{Map, Value};

use super::{Result, StoreError};
use crate::query::Path;

/// The fields an application adds to a record.
pub type Custom = Map<String, Value>;

/// What happens to one optional field.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Change<T> {
    #[default]
    Keep,
    Set(T),
    Clear,
}

impl<T: Clone> Change<T> {
    pub(crate) fn apply(&self, field: &mut Option<T>) {
        match self {
            Change::Keep => {}
            Change::Set(value) => *field = Some(value.clone()),
            Change::Clear => *field = None,
        }
    }

    /// For a field that always has a value: clearing it brings back the default.
    pub(crate) fn apply_or(&self, field: &mut T, default: impl FnOnce() -> T) {
        match self {
            Change::Keep => {}
            Change::Set(value) => *field = value.clone(),
            Change::Clear => *field = default(),
        }
    }
}

/// No database can be relied on to keep U+0000 in a text, so none is asked to. `id` names the
/// record in an error.
pub(crate) fn check_texts<'a>(texts: impl IntoIterator<Item = &'a String>, id: &str) -> Result<()> {
    match texts.into_iter().any(|text| text.contains('\0')) {
        true => Err(StoreError::invalid(id, "text may not contain U+0000")),
        false => Ok(()),
    }
}

/// What happens to one custom field, or to a part of one.
#[derive(Clone, Debug, PartialEq)]
pub enum CustomChange {
    /// Sets the value, making the objects on the way. A part of something that is not an object
    /// cannot be set: that is an error, since it would lose what is there.
    Set(Path, Value),
    /// Removes the value; nothing happens when there is none.
    Unset(Path),
}

impl CustomChange {
    /// One change for each field of `fields`: each is set, the others are kept.
    pub fn set_all(fields: Custom) -> Vec<CustomChange> {
        fields.into_iter().map(|(key, value)| CustomChange::Set(Path::field(key), value)).collect()
    }

    /// Applies `changes` in order; what comes of it may be so many bytes of JSON. `id` names the
    /// record in an error.
    pub(crate) fn apply_all(changes: &[CustomChange], custom: &mut Custom, limit: usize, id: &str) -> Result<()> {
        for change in changes {
            change.apply(custom, id)?;
        }
        if changes.is_empty() {
            return Ok(());
        }
        let json = serde_json::to_string(custom).map_err(StoreError::database)?;
        let bytes = json.len();
        if bytes > limit {
            let reason = format!("custom data is {bytes} bytes, more than {limit}");
            return Err(StoreError::invalid(id, reason));
        }
        check_json(custom, id)
    }

    fn apply(&self, custom: &mut Custom, id: &str) -> Result<()> {
        match self {
            CustomChange::Set(path, value) => {
                let mut object = custom;
                for key in path.parents() {
                    let inner = object.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
                    let Value::Object(inner) = inner else {
                        let reason = format!("cannot set {path}: {key:?} is not an object");
                        return Err(StoreError::invalid(id, reason));
                    };
                    object = inner;
                }
                object.insert(path.last().to_owned(), value.clone());
            }
            CustomChange::Unset(path) => {
                let mut object = custom;
                for key in path.parents() {
                    let Some(Value::Object(inner)) = object.get_mut(key) else {
                        return Ok(());
                    };
                    object = inner;
                }
                object.remove(path.last());
            }
        }
        Ok(())
    }
}

/// [`check_texts`] for everything in a JSON object.
fn check_json(fields: &Custom, id: &str) -> Result<()> {
    fn texts<'a>(value: &'a Value, found: &mut Vec<&'a String>) {
        match value {
            Value::String(text) => found.push(text),
            Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
            Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                found.push(key);
                texts(value, found);
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut found: Vec<&String> = fields.keys().collect();
    fields.values().for_each(|value| texts(value, &mut found));
    check_texts(found, id)
}

/// A record after a write, with what it was before, so that the caller sees what changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Written<T> {
    /// `None` when the write created the record.
    pub before: Option<T>,
    pub after: T,
}

impl<T: PartialEq> Written<T> {
    pub fn is_new(&self) -> bool {
        self.before.is_none()
    }

    /// Whether anything is different now. A write that changes nothing leaves `updated_at` alone.
    pub fn is_changed(&self) -> bool {
        self.before.as_ref() != Some(&self.after)
    }
}
