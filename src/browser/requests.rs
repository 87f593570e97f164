//! The requests of the protocol, and what their answers mean for what is watched.

use std::rc::Rc;

use js_sys::{Array, Map, Promise};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::channel::ChannelInner;
use super::http::{self, Call};
use super::input::Options;
use super::shell::Shell;
use super::{error, wire};
use crate::core::{Ask, Asked, Input, RequestId, Seen, Snapshot};

/// Turns our own values into what `JSON.stringify` writes as they are.
const JSON: Serializer = Serializer::json_compatible();

/// `GET /users` or `POST /channels`: what to find, in which order, and what to be told of it.
pub(super) struct Query {
    call: Call,
    watch: bool,
    presence: bool,
}

impl Query {
    pub(super) fn users(filter: &JsValue, sort: &JsValue, options: &JsValue) -> Result<Self, JsValue> {
        let options = Options::new("queryUsers", options)?;
        Query::new(&options, filter, sort, http::GET, "/users", false)
    }

    pub(super) fn channels(filter: &JsValue, sort: &JsValue, options: &JsValue) -> Result<Self, JsValue> {
        let options = Options::new("queryChannels", options)?;
        let (state, watch) = (options.flag("state", true)?, options.flag("watch", true)?);
        let query = Query::new(&options, filter, sort, "POST", "/channels", watch)?;
        wire::set(&query.call.payload, "state", &state.into());
        wire::set(&query.call.payload, "watch", &watch.into());
        Ok(query)
    }

    fn new(
        options: &Options,
        filter: &JsValue,
        sort: &JsValue,
        method: &'static str,
        path: &str,
        watch: bool,
    ) -> Result<Self, JsValue> {
        let presence = options.flag("presence", false)?;
        for name in ["limit", "offset", "message_limit", "member_limit"] {
            options.number(name)?;
        }
        let body = options.to_body();
        wire::set(&body, "filter_conditions", &options.object("the filter", filter)?);
        wire::set(&body, "sort", &options.sort(sort)?);
        wire::set(&body, "presence", &presence.into());
        let mut call = Call::new(options.call, method, path.to_owned(), body.into());
        (call.subscribes, call.signal) = (watch || presence, options.signal()?);
        Ok(Query { call, watch, presence })
    }

    /// The same query for just these, however many.
    fn again(field: &str, values: &[String], watch: bool, presence: bool) -> Result<Self, JsValue> {
        let condition = wire::object("$in", &values.serialize(&JSON)?);
        let filter = wire::object(field, &condition);
        let options = wire::object("limit", &values.len().into());
        wire::set(&options, "presence", &presence.into());
        wire::set(&options, "watch", &watch.into());
        if field == "id" {
            return Query::users(&filter, &JsValue::UNDEFINED, &options);
        }
        Query::channels(&filter, &JsValue::UNDEFINED, &options)
    }
}

pub(super) fn query_users(shell: &Rc<Shell>, query: Query) -> Promise {
    let (presence, shell_too) = (query.presence, shell.clone());
    query.call.send(
        shell,
        Box::new(move |answer| {
            let (asked, reply) = answer?;
            if presence {
                let snapshot = Snapshot { asked, users: wire::users(&reply) };
                shell_too.core().watch_users(snapshot);
                shell_too.freshen(asked, &wire::get(&reply, "users"));
                shell_too.pump();
            }
            Ok(reply)
        }),
    )
}

pub(super) fn query_channels(shell: &Rc<Shell>, query: Query) -> Promise {
    let (watch, presence, shell_too) = (query.watch, query.presence, shell.clone());
    query.call.send(
        shell,
        Box::new(move |answer| {
            let (asked, reply) = answer?;
            let channels = Array::new();
            wire::each(&wire::get(&reply, "channels"), &mut |response| {
                let data = wire::get(&response, "channel");
                let (kind, id) = (wire::get(&data, "type").as_string(), wire::get(&data, "id").as_string());
                let (Some(kind), Some(id)) = (kind, id) else { return };
                let channel = ChannelInner::find_or_create(&shell_too, &kind, Some(&id), &JsValue::UNDEFINED);
                channel.take_response(asked, &response, watch, presence);
                channels.push(&channel.to_js());
            });
            shell_too.pump();
            Ok(channels.into())
        }),
    )
}

/// Sends a list of users, or of updates to them.
pub(super) type Write = fn(&Rc<Shell>, &'static str, JsValue, Option<AbortSignal>) -> Promise;

/// `POST /users` with a list of users.
pub(super) fn upsert_users(
    shell: &Rc<Shell>,
    name: &'static str,
    users: JsValue,
    signal: Option<AbortSignal>,
) -> Promise {
    let by_id = wire::map();
    wire::each(&users, &mut |user| {
        if let Some(id) = wire::id(&user) {
            wire::put(&by_id, &id, &user);
        }
    });
    let invisible = invisibility(shell, &users, &|user| wire::get(user, "invisible"));
    let call = Call { signal, ..Call::new(name, "POST", "/users".to_owned(), wire::object("users", &by_id).into()) };
    write_users(shell, call, invisible)
}

/// `PATCH /users` with a list of `{ id, set, unset }`.
pub(super) fn update_users(
    shell: &Rc<Shell>,
    name: &'static str,
    updates: JsValue,
    signal: Option<AbortSignal>,
) -> Promise {
    let invisible = invisibility(shell, &updates, &|update| {
        let mut value = wire::get(&wire::get(update, "set"), "invisible");
        wire::each(&wire::get(update, "unset"), &mut |name| {
            if name == "invisible" {
                value = JsValue::FALSE;
            }
        });
        value
    });
    let call = Call { signal, ..Call::new(name, "PATCH", "/users".to_owned(), wire::object("users", &updates).into()) };
    write_users(shell, call, invisible)
}

fn write_users(shell: &Rc<Shell>, call: Call, invisible: JsValue) -> Promise {
    let session = shell.session_if_any();
    call.send(
        shell,
        Box::new(move |answer| {
            let (_, reply) = answer?;
            if let (false, Some(session)) = (invisible.is_undefined(), session) {
                session.set_invisible(&invisible);
            }
            Ok(reply)
        }),
    )
}

/// What a write makes of the connected user's invisibility, which no event tells; undefined when
/// it says nothing of it.
fn invisibility(shell: &Shell, entries: &JsValue, of: &dyn Fn(&JsValue) -> JsValue) -> JsValue {
    let mut value = JsValue::UNDEFINED;
    if let Some(session) = shell.session_if_any() {
        wire::each(entries, &mut |entry| {
            if session.is_me(&entry) {
                value = of(&entry);
            }
        });
    }
    value
}

impl Shell {
    /// Users as an answer shows them, except where an event has come meanwhile: then as that says.
    fn freshen(&self, asked: Asked, list: &JsValue) {
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
        self.core().heard_since(asked, &id).cloned()
    }

    /// Channels that were asked for again; returns the members whose presence comes with them.
    /// Of a channel that is not there any more there are no members.
    fn take_channels(&self, asked: Asked, reply: &JsValue, cids: &[String], presence: bool) -> Vec<Seen<JsValue>> {
        let by_cid = Map::new();
        wire::each(&wire::get(reply, "channels"), &mut |response| {
            by_cid.set(&wire::cid(&wire::get(&response, "channel")), &response);
        });
        let mut users = Vec::new();
        for name in cids {
            let cid = JsValue::from_str(name);
            let response = by_cid.get(&cid);
            if let Some(channel) = self.channel(&cid) {
                channel.hydrate(asked, &response);
            }
            if presence {
                let mut members = wire::members(&response, self.member_limit());
                if self.core().watch_members(name, asked, &members) {
                    users.append(&mut members);
                }
            }
        }
        users
    }
}

/// Asks once more for a page of what is watched, as the core wants after a reconnect.
pub(super) fn ask_again(shell: &Rc<Shell>, request: RequestId, ask: Ask) {
    let query = match &ask {
        Ask::Users { ids } => Query::again("id", ids, false, true),
        Ask::Channels { cids, watch, presence } => Query::again("cid", cids, *watch, *presence),
    };
    // Built from nothing but our own strings.
    let Ok(Query { mut call, .. }) = query else { return };
    call.patience = shell.core().patience();
    let shell_too = shell.clone();
    // Resolves whatever the answer: the core hears of it.
    let _ = call.send(
        shell,
        Box::new(move |answer| {
            let result = answer.map_err(error::failure).map(|(asked, reply)| match ask {
                Ask::Users { .. } => wire::users(&reply),
                Ask::Channels { cids, presence, .. } => shell_too.take_channels(asked, &reply, &cids, presence),
            });
            shell_too.feed(Input::Replied { request, result });
            Ok(JsValue::UNDEFINED)
        }),
    );
}

/// A list of users or of updates to them, each with a valid id.
pub(super) fn list_of_users(call: &str, list: &JsValue) -> Result<JsValue, JsValue> {
    if !Array::is_array(list) {
        return Err(error::invalid(&[call, ": the argument must be an array of objects with an `id`"]));
    }
    let mut problem = None;
    wire::each(list, &mut |entry| {
        let checked = super::input::object(call, "each entry", &entry)
            .and_then(|_| super::input::user_id(call, &wire::get(&entry, "id")));
        problem = problem.take().or(checked.err());
    });
    problem.map_or_else(|| Ok(list.clone()), Err)
}
