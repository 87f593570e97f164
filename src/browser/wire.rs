//! Reading what the server sends: the engine parses, we look at the few fields that matter.

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;

use crate::core::{Frame, Seen};
use rollcall_protocol::{event, extension};

#[wasm_bindgen]
extern "C" {
    /// Hands the engine its own string: unlike `js_sys::JSON::parse`, no copy through wasm.
    #[wasm_bindgen(js_namespace = JSON, js_name = parse, catch)]
    pub(super) fn parse(text: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = JSON, js_name = stringify, catch)]
    pub(super) fn stringify(value: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = Object, js_name = create)]
    fn create_object(prototype: &JsValue) -> Object;

    /// Any value as text.
    #[wasm_bindgen(js_name = String)]
    pub(super) fn text(value: &JsValue) -> String;

    #[wasm_bindgen(js_namespace = Reflect, js_name = get, catch)]
    fn reflect_get(target: &JsValue, key: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = Reflect, js_name = set, catch)]
    fn reflect_set(target: &JsValue, key: &str, value: &JsValue) -> Result<bool, JsValue>;

    /// An object that has at least been seen to be one: getters on it cannot throw, short of
    /// getters of its own, which nothing that was parsed has.
    type Fields;
    #[wasm_bindgen(method, structural, getter, js_name = type)]
    fn kind(this: &Fields) -> JsValue;
    #[wasm_bindgen(method, structural, getter)]
    fn user(this: &Fields) -> JsValue;
    #[wasm_bindgen(method, structural, getter)]
    fn id(this: &Fields) -> JsValue;
    #[wasm_bindgen(method, structural, getter)]
    fn cid(this: &Fields) -> JsValue;
    #[wasm_bindgen(method, structural, getter)]
    fn online(this: &Fields) -> JsValue;
    #[wasm_bindgen(method, structural, getter)]
    fn updated_at(this: &Fields) -> JsValue;
}

fn fields(value: &JsValue) -> Option<&Fields> {
    value.is_object().then(|| value.unchecked_ref())
}

/// A field of an object; undefined when there is none, or when it is no object.
pub(super) fn get(target: &JsValue, key: &str) -> JsValue {
    if !target.is_object() && !target.is_function() {
        return JsValue::UNDEFINED;
    }
    reflect_get(target, key).unwrap_or(JsValue::UNDEFINED)
}

/// Sets a field of an object of our own.
pub(super) fn set(target: &JsValue, key: &str, value: &JsValue) {
    // Fails only on frozen objects and on non-objects, where there is nothing to keep.
    let _ = reflect_set(target, key, value);
}

/// A number as text: the engine's digits need no download.
pub(super) fn number(number: impl Into<f64>) -> String {
    text(&JsValue::from_f64(number.into()))
}

/// The parts as one text. The standard library's own `concat` is many times as long.
pub(super) fn concat(parts: &[&str]) -> String {
    let mut whole = String::new();
    for part in parts {
        whole.push_str(part);
    }
    whole
}

/// `{ [key]: value }`.
pub(super) fn object(key: &str, value: &JsValue) -> Object {
    let object = Object::new();
    set(&object, key, value);
    object
}

/// An empty map by id. Ids are chosen by others: `__proto__` must be a key like any other, so it
/// has no prototype.
pub(super) fn map() -> Object {
    create_object(&JsValue::NULL)
}

/// Puts a value into a map, when `id` is one.
pub(super) fn put(map: &JsValue, id: &JsValue, value: &JsValue) {
    if id.is_string() {
        let _ = Reflect::set(map, id, value);
    }
}

/// An event's `type`.
pub(super) fn kind(event: &JsValue) -> Option<String> {
    fields(event)?.kind().as_string()
}

/// An event's or a member's `user`, when it is one.
pub(super) fn user(value: &JsValue) -> Option<JsValue> {
    let user = fields(value)?.user();
    user.is_object().then_some(user)
}

/// An event's or a channel's `cid`.
pub(super) fn cid(value: &JsValue) -> JsValue {
    fields(value).map_or(JsValue::UNDEFINED, Fields::cid)
}

/// A user's `id`, as the engine's own string.
pub(super) fn id(value: &JsValue) -> Option<JsValue> {
    let id = fields(value)?.id();
    id.is_string().then_some(id)
}

/// A user, read as far as the core needs it.
pub(super) fn seen(user: JsValue, subscribed: bool) -> Option<Seen<JsValue>> {
    let fields = fields(&user)?;
    let id = fields.id().as_string()?;
    let online = fields.online().is_truthy();
    let revision = fields.updated_at().as_string().map_or(0, |text| hash(&text));
    Some(Seen { id, online, revision, subscribed, user })
}

/// The users of an answer. When our servers say that they do not tell of all of them, it is not
/// known which: those who were subscribed to before still are.
pub(super) fn users(answer: &JsValue) -> Vec<Seen<JsValue>> {
    let limit = if omitted(answer) > 0 { 0 } else { usize::MAX };
    seen_in(&get(answer, "users"), limit, &Some)
}

/// The users of a channel's members, of whom `limit` at most are subscribed to. When our servers
/// say that some are not, it is the last ones.
pub(super) fn members(channel: &JsValue, limit: usize) -> Vec<Seen<JsValue>> {
    let members = get(channel, "members");
    let all = get(&members, "length").as_f64().unwrap_or_default() as usize;
    seen_in(&members, limit.min(all.saturating_sub(omitted(channel))), &|member| user(&member))
}

fn omitted(answer: &JsValue) -> usize {
    get(answer, extension::PRESENCE_OMITTED).as_f64().unwrap_or_default() as usize
}

fn seen_in(list: &JsValue, limit: usize, user: &dyn Fn(JsValue) -> Option<JsValue>) -> Vec<Seen<JsValue>> {
    let (mut users, mut index) = (Vec::new(), 0);
    each(list, &mut |entry| {
        users.extend(user(entry).and_then(|user| seen(user, index < limit)));
        index += 1;
    });
    users
}

/// Visits the elements of an array; does nothing when it is no array.
pub(super) fn each(list: &JsValue, visit: &mut dyn FnMut(JsValue)) {
    if let Some(list) = list.dyn_ref::<js_sys::Array>() {
        for index in 0..list.length() {
            visit(list.get(index));
        }
    }
}

/// One event, as the core takes it; `None` when it is not an event at all.
pub(super) fn frame(payload: JsValue) -> Option<Frame<JsValue>> {
    let Some(kind) = kind(&payload) else {
        // Error frames of 2020 had no type.
        return error_frame(payload);
    };
    match kind.as_str() {
        event::HEALTH_CHECK => {
            let connection_id = get(&payload, "connection_id").as_string().unwrap_or_default();
            Some(Frame::Health { connection_id, payload })
        }
        event::CONNECTION_ERROR => error_frame(payload),
        event::USER_PRESENCE_CHANGED | event::USER_UPDATED | event::USER_DELETED => {
            Some(match user(&payload).and_then(|user| seen(user, false)) {
                Some(user) if kind == event::USER_DELETED => Frame::Deleted { user, payload },
                Some(user) => Frame::User { user, payload },
                None => Frame::Other { payload },
            })
        }
        _ => Some(Frame::Other { payload }),
    }
}

fn error_frame(payload: JsValue) -> Option<Frame<JsValue>> {
    let error = get(&payload, "error");
    let code = get(&error, "code").as_f64()?;
    Some(Frame::Error { code: code as i32, payload: super::error::from_server(&error, None) })
}

/// `text` without any `end` that it ends with.
pub(super) fn without_end<'a>(text: &'a str, end: &str) -> &'a str {
    let mut text = text;
    while let Some(shorter) = text.strip_suffix(end) {
        text = shorter;
    }
    text
}

/// FNV-1a: enough to tell two timestamps apart.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
