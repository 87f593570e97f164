//! Checking what an app passes in, so that a mistake is told where it was made.

use js_sys::{Array, Function, JsString, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::{error, wire};
use rollcall_protocol::limits;

/// A user's id, or an error that says what one looks like.
pub(super) fn user_id(call: &str, value: &JsValue) -> Result<String, JsValue> {
    match value.as_string() {
        Some(id) if limits::is_user_id(&id) => Ok(id),
        _ => Err(error::invalid(&[
            call,
            ": `id` must be a string of letters, digits, `@`, `_` and `-`, at most ",
            &wire::number(limits::USER_ID_LENGTH as f64),
            " long; got ",
            &shown(value),
        ])),
    }
}

/// A list of users' ids.
pub(super) fn user_ids(call: &str, value: &JsValue) -> Result<Vec<String>, JsValue> {
    let Some(list) = value.dyn_ref::<Array>() else {
        return Err(error::invalid(&[call, ": the users must be an array of their ids; got ", &shown(value)]));
    };
    let mut ids = Vec::new();
    for id in list.to_vec() {
        ids.push(user_id(call, &id)?);
    }
    Ok(ids)
}

/// The signal among the options of a call that takes no others.
pub(super) fn signal(call: &'static str, options: &JsValue) -> Result<Option<AbortSignal>, JsValue> {
    Options::new(call, options)?.signal()
}

pub(super) fn function(call: &str, value: JsValue) -> Result<Function, JsValue> {
    value.dyn_into().map_err(|_| error::invalid(&[call, ": the handler must be a function"]))
}

/// The name of an event, where there is just one.
pub(super) fn event(call: &str, value: &JsValue, known: &str) -> Result<(), JsValue> {
    if value == known {
        return Ok(());
    }
    Err(error::invalid(&[call, ": the event must be '", known, "'; got ", &shown(value)]))
}

/// An object; undefined and null count as an empty one.
pub(super) fn object(call: &str, name: &str, value: &JsValue) -> Result<JsValue, JsValue> {
    if value.is_undefined() || value.is_null() {
        return Ok(Object::new().into());
    }
    if value.is_object() && !Array::is_array(value) {
        return Ok(value.clone());
    }
    Err(error::invalid(&[call, ": ", name, " must be an object; got ", &shown(value)]))
}

/// The options of a request, by name.
pub(super) struct Options {
    pub(super) call: &'static str,
    value: JsValue,
}

impl Options {
    pub(super) fn new(call: &'static str, value: &JsValue) -> Result<Self, JsValue> {
        Ok(Options { call, value: object(call, "options", value)? })
    }

    fn get(&self, name: &str) -> Option<JsValue> {
        let value = wire::get(&self.value, name);
        (!value.is_undefined() && !value.is_null()).then_some(value)
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, JsValue> {
        let Some(value) = self.get(name) else { return Ok(default) };
        value.as_bool().ok_or_else(|| self.invalid(name, "must be true or false", &value))
    }

    /// Refuses every other option. For where a misspelt one would do harm: without its `baseURL`
    /// a client would show its tokens to somebody else's server.
    pub(super) fn only(&self, known: [&str; 2]) -> Result<(), JsValue> {
        let mut unknown = None;
        wire::each(&Object::keys(self.value.unchecked_ref::<Object>()), &mut |key| {
            if !known.iter().any(|name| key == *name) {
                unknown = key.as_string();
            }
        });
        match unknown {
            None => Ok(()),
            Some(name) => {
                let [one, other] = known;
                Err(error::invalid(&[self.call, ": unknown option `", &name, "`; known are ", one, ", ", other]))
            }
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, JsValue> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.as_f64() {
            Some(number) if number >= 0.0 && number.fract() == 0.0 => Ok(Some(number)),
            _ => Err(self.invalid(name, "must be a whole number, 0 or more", &value)),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, JsValue> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_string().map(Some).ok_or_else(|| self.invalid(name, "must be a string", &value))
    }

    /// The signal that ends the request early, an option of every call.
    pub(super) fn signal(&self) -> Result<Option<AbortSignal>, JsValue> {
        let Some(value) = self.get("signal") else { return Ok(None) };
        value.dyn_into().map(Some).map_err(|value| self.invalid("signal", "must be an AbortSignal", &value))
    }

    /// A copy of what was passed, without what is ours alone: what we do not know, the server may.
    pub(super) fn to_body(&self) -> Object {
        let body = Object::assign(&Object::new(), self.value.unchecked_ref());
        let _ = Reflect::delete_property(&body, &"signal".into());
        body
    }

    /// An argument beside the options; undefined and null count as an empty object.
    pub(super) fn object(&self, name: &str, value: &JsValue) -> Result<JsValue, JsValue> {
        object(self.call, name, value)
    }

    /// `{ field: 1 }`, or a list of such, as the protocol writes it; the order of fields is kept.
    pub(super) fn sort(&self, value: &JsValue) -> Result<JsValue, JsValue> {
        let objects =
            if Array::is_array(value) { Array::from(value) } else { Array::of1(&self.object("sort", value)?) };
        let fields = Array::new();
        for object in objects.to_vec() {
            if !object.is_object() {
                return Err(self.invalid_sort(value));
            }
            for name in Object::keys(object.unchecked_ref::<Object>()).to_vec() {
                let direction = Reflect::get(&object, &name).unwrap_or(JsValue::UNDEFINED);
                if direction.as_f64().is_none_or(|direction| direction.abs() != 1.0) {
                    return Err(self.invalid_sort(value));
                }
                let field = wire::object("field", &name);
                wire::set(&field, "direction", &direction);
                fields.push(&field);
            }
        }
        if fields.length() > limits::MAX_SORT as u32 {
            let most = wire::number(limits::MAX_SORT as f64);
            return Err(error::invalid(&[self.call, ": sort takes at most ", &most, " fields"]));
        }
        Ok(fields.into())
    }

    fn invalid_sort(&self, value: &JsValue) -> JsValue {
        error::invalid(&[
            self.call,
            ": sort must be an object such as { last_active: -1 }, or a list of them, with directions 1 and -1; got ",
            &shown(value),
        ])
    }

    fn invalid(&self, name: &str, wanted: &str, value: &JsValue) -> JsValue {
        error::invalid(&[self.call, ": option `", name, "` ", wanted, "; got ", &shown(value)])
    }
}

/// A value as a short text for a message.
fn shown(value: &JsValue) -> String {
    // Of undefined and of functions there is no JSON.
    let json = wire::stringify(value).unwrap_or(JsValue::UNDEFINED);
    let text = JsString::from(wire::text(if json.is_string() { &json } else { value }));
    let short = String::from(text.slice(0, 60));
    if text.length() > 60 { wire::concat(&[&short, "…"]) } else { short }
}
