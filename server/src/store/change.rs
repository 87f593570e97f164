//! How a record is changed: what is not named stays as it is.

use rollcall_protocol::limits;
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

    /// Applies `changes` in order. `id` names the record in an error.
    pub(crate) fn apply_all(changes: &[CustomChange], custom: &mut Custom, id: &str) -> Result<()> {
        for change in changes {
            change.apply(custom, id)?;
        }
        let bytes = serde_json::to_string(custom).map_or(0, |json| json.len());
        if !changes.is_empty() && bytes > limits::CUSTOM_DATA_BYTES {
            let limit = limits::CUSTOM_DATA_BYTES;
            let reason = format!("custom data is {bytes} bytes, more than {limit}");
            return Err(StoreError::invalid(id, reason));
        }
        Ok(())
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
