//! The requests of the protocol, and what their answers mean for what is watched.

use std::rc::Rc;

use gloo_net::http::Method;
use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;

use super::channel::ChannelInner;
use super::http::Call;
use super::input::Options;
use super::shell::Shell;
use super::{error, wire};
use crate::core::{Ask, Asked, Seen, Snapshot};

/// `GET /users` and `POST /channels`: what to find, in which order, and what to be told of it.
pub(super) struct Query {
    pub(super) body: Object,
    pub(super) watch: bool,
    pub(super) presence: bool,
    pub(super) signal: Option<web_sys::AbortSignal>,
}

impl Query {
    pub(super) fn users(filter: &JsValue, sort: &JsValue, options: &JsValue) -> Result<Self, JsValue> {
        let options = Options::new("queryUsers", options)?;
        let presence = options.flag("presence", false)?;
        Query::new(&options, filter, sort, false, presence)
    }

    pub(super) fn channels(filter: &JsValue, sort: &JsValue, options: &JsValue) -> Result<Self, JsValue> {
        let options = Options::new("queryChannels", options)?;
        let (state, watch) = (options.flag("state", true)?, options.flag("watch", true)?);
        let query = Query::new(&options, filter, sort, watch, options.flag("presence", false)?)?;
        wire::set(&query.body, "state", &state.into());
        wire::set(&query.body, "watch", &watch.into());
        Ok(query)
    }

    fn new(options: &Options, filter: &JsValue, sort: &JsValue, watch: bool, presence: bool) -> Result<Self, JsValue> {
        let body = options.to_body();
        wire::set(&body, "filter_conditions", &options.object("the filter", filter)?);
        wire::set(&body, "sort", &options.sort(sort)?);
        wire::set(&body, "presence", &presence.into());
        Ok(Query { body, watch, presence, signal: options.signal()? })
    }

    /// The same query for just these, however many.
    fn again(field: &str, values: &[String], watch: bool, presence: bool) -> Result<Self, JsValue> {
        let options = Object::new();
        wire::set(&options, "limit", &values.len().into());
        wire::set(&options, "presence", &presence.into());
        wire::set(&options, "watch", &watch.into());
        let filter = is_in(field, values);
        if field == "id" {
            return Query::users(&filter, &JsValue::UNDEFINED, &options);
        }
        Query::channels(&filter, &JsValue::UNDEFINED, &options)
    }
}

/// `{ [field]: { $in: values } }`.
fn is_in(field: &str, values: &[String]) -> JsValue {
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
        for index in 0..list.length() {
            if let Some(newer) = self.newer(asked, &list.get(index)) {
                list.set(index, newer);
            }
        }
    }

    /// The user as an event since `asked` showed them.
    pub(super) fn newer(&self, asked: Asked, user: &JsValue) -> Option<JsValue> {
        let id = wire::id(user)?.as_string()?;
        self.core.borrow().heard_since(asked, &id).cloned()
    }

    pub(super) async fn query_users(self: Rc<Self>, query: Query) -> Result<JsValue, JsValue> {
        let presence = query.presence;
        let (asked, reply) = self.ask_users(query).await?;
        if presence {
            let users = wire::get(&reply, "users");
            let snapshot = Snapshot { asked, users: wire::seen_in(&users, None) };
            self.core.borrow_mut().watch_users(snapshot);
            self.newest(asked, &users);
            self.pump();
        }
        Ok(reply)
    }

    async fn ask_users(self: &Rc<Self>, query: Query) -> Result<(Asked, JsValue), JsValue> {
        let call = Call::new(Method::GET, "/users").payload(query.body.into());
        call.subscribes(query.presence).signal(query.signal).send(self, "queryUsers").await
    }

    pub(super) async fn query_channels(self: Rc<Self>, query: Query) -> Result<JsValue, JsValue> {
        let (watch, presence) = (query.watch, query.presence);
        let (asked, reply) = self.ask_channels(query).await?;
        let channels = Array::new();
        wire::each(&wire::get(&reply, "channels"), &mut |response| {
            let data = wire::get(&response, "channel");
            let (kind, id) = (wire::get(&data, "type").as_string(), wire::get(&data, "id").as_string());
            let (Some(kind), Some(id)) = (kind, id) else { return };
            let channel = ChannelInner::find_or_create(&self, &kind, Some(&id), &JsValue::UNDEFINED);
            channel.take_response(asked, &response, watch, presence);
            channels.push(&channel.to_js());
        });
        self.pump();
        Ok(channels.into())
    }

    async fn ask_channels(self: &Rc<Self>, query: Query) -> Result<(Asked, JsValue), JsValue> {
        let call = Call::new(Method::POST, "/channels").payload(query.body.into());
        call.subscribes(query.watch || query.presence).signal(query.signal).send(self, "queryChannels").await
    }

    /// `POST /users` with a list of users.
    pub(super) async fn upsert_users(self: Rc<Self>, users: JsValue) -> Result<JsValue, JsValue> {
        let by_id = Object::new();
        wire::each(&users, &mut |user| {
            if let Some(id) = wire::id(&user).and_then(|id| id.as_string()) {
                wire::set(&by_id, &id, &user);
            }
        });
        let body = Object::new();
        wire::set(&body, "users", &by_id);
        let (_, reply) = Call::new(Method::POST, "/users").payload(body.into()).send(&self, "upsertUsers").await?;
        self.written(&users, &JsValue::clone);
        Ok(reply)
    }

    /// `PATCH /users` with a list of `{ id, set, unset }`.
    pub(super) async fn update_users(self: Rc<Self>, updates: JsValue) -> Result<JsValue, JsValue> {
        let body = Object::new();
        wire::set(&body, "users", &updates);
        let call = Call::new(Method::PATCH, "/users").payload(body.into());
        let (_, reply) = call.send(&self, "partialUpdateUsers").await?;
        self.written(&updates, &|update| {
            let fields = Object::assign(&Object::new(), wire::get(update, "set").unchecked_ref());
            wire::each(&wire::get(update, "unset"), &mut |name| {
                if name == "invisible" {
                    wire::set(&fields, "invisible", &JsValue::FALSE);
                }
            });
            fields.into()
        });
        Ok(reply)
    }

    /// The connected user knows more of themselves than events show; this keeps it current.
    fn written(&self, entries: &JsValue, fields: &dyn Fn(&JsValue) -> JsValue) {
        let Some(session) = self.session_if_any() else { return };
        wire::each(entries, &mut |entry| {
            if session.is_me(&entry) {
                session.written(&fields(&entry));
            }
        });
    }
}

/// Asks once more for a page of what is watched, as the core wants after a reconnect.
pub(super) async fn ask_again(shell: &Rc<Shell>, ask: Ask) -> Result<Vec<Seen<JsValue>>, JsValue> {
    match ask {
        Ask::Users { ids } => {
            let (_, reply) = shell.ask_users(Query::again("id", &ids, false, true)?).await?;
            Ok(wire::seen_in(&wire::get(&reply, "users"), None))
        }
        Ask::Channels { cids, watch, presence } => {
            let (asked, reply) = shell.ask_channels(Query::again("cid", &cids, watch, presence)?).await?;
            let mut users = Vec::new();
            wire::each(&wire::get(&reply, "channels"), &mut |response| {
                let cid = wire::get(&wire::get(&response, "channel"), "cid");
                if let Some(channel) = shell.channel(&cid) {
                    channel.hydrate(asked, &response);
                }
                if presence {
                    users.append(&mut wire::seen_in(&wire::get(&response, "members"), Some("user")));
                }
            });
            Ok(users)
        }
    }
}

/// A list of users or of updates to them, each with a valid id.
pub(super) fn list_of_users(call: &str, list: &JsValue) -> Result<JsValue, JsValue> {
    if !Array::is_array(list) {
        return Err(error::invalid(&format!("{call}: the argument must be an array of objects with an `id`")));
    }
    let mut problem = None;
    wire::each(list, &mut |entry| {
        let checked = super::input::object(call, "each entry", &entry)
            .and_then(|_| super::input::user_id(call, &wire::get(&entry, "id")));
        problem = problem.take().or(checked.err());
    });
    problem.map_or_else(|| Ok(list.clone()), Err)
}
