//! The user who connects.

use wasm_bindgen::prelude::*;

use super::page;

/// Who connects, and what they say of themselves. What is not said stays as the server has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// 1 to 255 of `a-z A-Z 0-9 @ _ -`.
    pub id: String,
    /// What others call them.
    pub name: Option<String>,
    /// Free text that they show to others.
    pub status: Option<String>,
    /// Whether they hide from everyone else.
    pub invisible: Option<bool>,
}

impl From<&str> for User {
    fn from(id: &str) -> Self {
        Self::from(id.to_owned())
    }
}

impl From<String> for User {
    fn from(id: String) -> Self {
        Self { id, ..Self::default() }
    }
}

impl From<User> for JsValue {
    fn from(User { id, name, status, invisible }: User) -> Self {
        let fields = [
            ("id", Some(id.into())),
            ("name", name.map(JsValue::from)),
            ("status", status.map(JsValue::from)),
            ("invisible", invisible.map(JsValue::from)),
        ];
        let said: Vec<(&str, &JsValue)> =
            fields.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?))).collect();
        page::object(&said)
    }
}
