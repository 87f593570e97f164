//! The requests of the protocol, and what their answers mean for what is watched.

use std::rc::Rc;

use gloo_net::http::Method;
use js_sys::{Array, Object};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::channel::ChannelInner;
use super::http::Call;
use super::input::{Options, SortField};
use super::shell::Shell;
use super::{error, wire};
use crate::core::{Ask, Asked, Seen, Snapshot};

/// `GET /users`.
#[derive(Serialize)]
pub(super) struct UsersQuery {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub(super) filter_conditions: JsValue,
    pub(super) sort: Vec<SortField>,
    pub(super) presence: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) offset: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id_gt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id_gte: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id_lt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id_lte: Option<String>,
    pub(super) include_deactivated_users: bool,
}

impl UsersQuery {
    pub(super) fn new(filter: JsValue, sort: Vec<SortField>, options: &Options) -> Result<Self, JsValue> {
        Ok(UsersQuery {
            filter_conditions: filter,
            sort,
            presence: options.flag("presence", false)?,
            limit: options.number("limit")?,
            offset: options.number("offset")?,
            id_gt: options.text("id_gt")?,
            id_gte: options.text("id_gte")?,
            id_lt: options.text("id_lt")?,
            id_lte: options.text("id_lte")?,
            include_deactivated_users: options.flag("include_deactivated_users", false)?,
        })
    }
}

/// `POST /channels`.
#[derive(Serialize)]
pub(super) struct ChannelsQuery {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pub(super) filter_conditions: JsValue,
    pub(super) sort: Vec<SortField>,
    pub(super) state: bool,
    pub(super) watch: bool,
    pub(super) presence: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) offset: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message_limit: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) member_limit: Option<f64>,
}

impl ChannelsQuery {
    pub(super) fn new(filter: JsValue, sort: Vec<SortField>, options: &Options) -> Result<Self, JsValue> {
        Ok(ChannelsQuery {
            filter_conditions: filter,
            sort,
            state: options.flag("state", true)?,
            watch: options.flag("watch", true)?,
            presence: options.flag("presence", false)?,
            limit: options.number("limit")?,
            offset: options.number("offset")?,
            message_limit: options.number("message_limit")?,
            member_limit: options.number("member_limit")?,
        })
    }
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).map_err(JsValue::from)
}

/// `{ [field]: { $in: values } }`.
fn is_in(field: &str, values: Vec<String>) -> JsValue {
    let list: Array = values.iter().map(|value| JsValue::from_str(value)).collect();
    let condition = Object::new();
    wire::set(&condition, "$in", &list);
    let filter = Object::new();
    wire::set(&filter, field, &condition);
    filter.into()
}

impl Shell {
    /// Users as an answer shows them, except where an event has come meanwhile: then as that says.
    fn newest(&self, asked: Asked, list: &JsValue) {
        let Some(list) = list.dyn_ref::<Array>() else { return };
        for (index, user) in list.iter().enumerate() {
            if let Some(newer) = self.newer(asked, &user) {
                list.set(index as u32, newer);
            }
        }
    }

    /// The user as an event since `asked` showed them.
    pub(super) fn newer(&self, asked: Asked, user: &JsValue) -> Option<JsValue> {
        let id = wire::id(user)?.as_string()?;
        self.core.borrow().heard_since(asked, &id).cloned()
    }

    pub(super) async fn query_users(
        self: Rc<Self>,
        query: UsersQuery,
        signal: Option<web_sys::AbortSignal>,
    ) -> Result<JsValue, JsValue> {
        let presence = query.presence;
        let (asked, reply) = self.ask_users(&query, signal).await?;
        let users = wire::get(&reply, "users");
        if presence {
            let seen = wire::seen_in(&users, None);
            self.core.borrow_mut().watch_users(Snapshot { asked, users: seen });
            self.newest(asked, &users);
            self.pump();
        }
        Ok(reply)
    }

    async fn ask_users(
        self: &Rc<Self>,
        query: &UsersQuery,
        signal: Option<web_sys::AbortSignal>,
    ) -> Result<(Asked, JsValue), JsValue> {
        let call = Call::new(Method::GET, "/users").payload(to_js(query)?).subscribes(query.presence).signal(signal);
        call.send(self, "queryUsers").await
    }

    pub(super) async fn query_channels(
        self: Rc<Self>,
        query: ChannelsQuery,
        signal: Option<web_sys::AbortSignal>,
    ) -> Result<JsValue, JsValue> {
        let (watch, presence) = (query.watch, query.presence);
        let (asked, reply) = self.ask_channels(&query, signal).await?;
        let channels = Array::new();
        for response in wire::elements(&wire::get(&reply, "channels")) {
            let data = wire::get(&response, "channel");
            let (Some(kind), Some(id)) = (wire::get(&data, "type").as_string(), wire::get(&data, "id").as_string())
            else {
                continue;
            };
            let channel = ChannelInner::find_or_create(&self, &kind, Some(&id), &JsValue::UNDEFINED);
            channel.take_response(asked, &response, watch, presence);
            channels.push(&channel.to_js());
        }
        self.pump();
        Ok(channels.into())
    }

    async fn ask_channels(
        self: &Rc<Self>,
        query: &ChannelsQuery,
        signal: Option<web_sys::AbortSignal>,
    ) -> Result<(Asked, JsValue), JsValue> {
        let call = Call::new(Method::POST, "/channels")
            .payload(to_js(query)?)
            .subscribes(query.watch || query.presence)
            .signal(signal);
        call.send(self, "queryChannels").await
    }

    /// `POST /users` with a list of users.
    pub(super) async fn upsert_users(self: Rc<Self>, users: JsValue) -> Result<JsValue, JsValue> {
        let by_id = Object::new();
        for user in wire::elements(&users) {
            if let Some(id) = wire::id(&user).and_then(|id| id.as_string()) {
                wire::set(&by_id, &id, &user);
            }
        }
        let body = Object::new();
        wire::set(&body, "users", &by_id);
        let (_, reply) = Call::new(Method::POST, "/users").payload(body.into()).send(&self, "upsertUsers").await?;
        self.written(&users, |user| user.clone());
        Ok(reply)
    }

    /// `PATCH /users` with a list of `{ id, set, unset }`.
    pub(super) async fn update_users(self: Rc<Self>, updates: JsValue) -> Result<JsValue, JsValue> {
        let body = Object::new();
        wire::set(&body, "users", &updates);
        let call = Call::new(Method::PATCH, "/users").payload(body.into());
        let (_, reply) = call.send(&self, "partialUpdateUsers").await?;
        self.written(&updates, |update| {
            let fields = Object::assign(&Object::new(), wire::get(update, "set").unchecked_ref());
            if wire::elements(&wire::get(update, "unset")).any(|name| name == "invisible") {
                wire::set(&fields, "invisible", &JsValue::FALSE);
            }
            fields.into()
        });
        Ok(reply)
    }

    /// The connected user knows more of themselves than events show; this keeps it current.
    fn written(&self, entries: &JsValue, fields: impl Fn(&JsValue) -> JsValue) {
        let Some(session) = self.session_if_any() else { return };
        if let Some(entry) = wire::elements(entries).find(|entry| session.is_me(entry)) {
            session.written(&fields(&entry));
        }
    }
}

/// Asks once more for a page of what is watched, as the core wants after a reconnect.
pub(super) async fn ask_again(shell: &Rc<Shell>, ask: Ask) -> Result<Vec<Seen<JsValue>>, JsValue> {
    let options = Options::new("", &JsValue::UNDEFINED)?;
    match ask {
        Ask::Users { ids } => {
            let limit = ids.len() as f64;
            let mut query = UsersQuery::new(is_in("id", ids), Vec::new(), &options)?;
            query.presence = true;
            query.limit = Some(limit);
            let (_, reply) = shell.ask_users(&query, None).await?;
            Ok(wire::seen_in(&wire::get(&reply, "users"), None))
        }
        Ask::Channels { cids, watch, presence } => {
            let limit = cids.len() as f64;
            let mut query = ChannelsQuery::new(is_in("cid", cids), Vec::new(), &options)?;
            (query.watch, query.presence, query.limit) = (watch, presence, Some(limit));
            let (asked, reply) = shell.ask_channels(&query, None).await?;
            let mut users = Vec::new();
            for response in wire::elements(&wire::get(&reply, "channels")) {
                let cid = wire::get(&wire::get(&response, "channel"), "cid");
                let channel = shell.channels.borrow().iter().find(|channel| channel.is(&cid)).cloned();
                if let Some(channel) = channel {
                    channel.hydrate(asked, &response);
                }
                if presence {
                    users.extend(wire::seen_in(&wire::get(&response, "members"), Some("user")));
                }
            }
            Ok(users)
        }
    }
}

/// A list of users or of updates to them, each with a valid id.
pub(super) fn list_of_users(call: &str, list: &JsValue) -> Result<JsValue, JsValue> {
    if !Array::is_array(list) {
        return Err(error::invalid(&format!("{call}: the argument must be an array of objects with an `id`")));
    }
    for entry in wire::elements(list) {
        super::input::object(call, "each entry", &entry)?;
        super::input::user_id(call, &wire::get(&entry, "id"))?;
    }
    Ok(list.clone())
}
