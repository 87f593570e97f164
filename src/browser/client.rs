//! `PresenceClient`, as JavaScript sees it.

use std::rc::Rc;

use futures::channel::oneshot;
use js_sys::{Array, Object, Promise};
use wasm_bindgen::prelude::*;

use super::channel::{self, ChannelInner};
use super::error::{self, Code};
use super::input::{self, Options};
use super::promise::{promise, settled};
use super::requests::{self, Query, list_of_users};
use super::session::Session;
use super::shell::Shell;
use super::token::{self, Token};
use super::user::CurrentUser;
use super::watch::PresenceWatch;
use super::wire;
use rollcall_protocol::limits;

/// Where the hosted service is.
const DEFAULT_BASE_URL: &str = "https://chat.stream-io-api.com";
/// How long a request may take unless the app says otherwise, in milliseconds.
const DEFAULT_TIMEOUT: u64 = 10_000;

#[wasm_bindgen(skip_typescript)]
pub struct PresenceClient {
    shell: Rc<Shell>,
    user: CurrentUser,
}

#[wasm_bindgen]
impl PresenceClient {
    #[wasm_bindgen(constructor)]
    pub fn new(api_key: JsValue, options: JsValue) -> Result<PresenceClient, JsValue> {
        let api_key = api_key
            .as_string()
            .filter(|key| !key.is_empty())
            .ok_or_else(|| error::invalid(&["new PresenceClient: the first argument must be the API key, a string"]))?;
        let options = Options::new("new PresenceClient", &options)?;
        options.only(["baseURL", "timeout"])?;
        let base_url = options.text("baseURL")?.unwrap_or_else(|| DEFAULT_BASE_URL.to_owned());
        if !base_url.starts_with("http://") && !base_url.starts_with("https://") {
            let wanted = "new PresenceClient: baseURL must begin with http:// or https://; got `";
            return Err(error::invalid(&[wanted, &base_url, "`"]));
        }
        let timeout = options.number("timeout")?.map_or(DEFAULT_TIMEOUT, |milliseconds| milliseconds as u64);
        let shell = Shell::new(api_key, wire::without_end(&base_url, "/").to_owned(), timeout);
        let user = CurrentUser::new(&shell);
        Ok(PresenceClient { shell, user })
    }

    #[wasm_bindgen(getter)]
    pub fn user(&self) -> JsValue {
        self.user.to_js()
    }

    #[wasm_bindgen(getter, js_name = userID)]
    pub fn user_id(&self) -> JsValue {
        self.shell.session_if_any().map_or(JsValue::UNDEFINED, |session| session.id.clone())
    }

    #[wasm_bindgen(getter, js_name = baseURL)]
    pub fn base_url(&self) -> JsValue {
        self.shell.base_url.as_str().into()
    }

    #[wasm_bindgen(getter)]
    pub fn connection(&self) -> JsValue {
        self.shell.connection()
    }

    #[wasm_bindgen(js_name = connectUser)]
    pub fn connect_user(&self, user: JsValue, token: JsValue, options: JsValue) -> Promise {
        settled(self.connect(user, token, &options))
    }

    fn connect(&self, user: JsValue, token: JsValue, options: &JsValue) -> Result<Promise, JsValue> {
        let call = "connectUser";
        let user = input::object(call, "the user", &user)?;
        let user_id = input::user_id(call, &wire::get(&user, "id"))?;
        if let Some(session) = self.shell.session_if_any() {
            return match session.connecting.get() {
                Some(connecting) if session.user_id == user_id => Ok(connecting),
                _ => Err(error::error(
                    Code::AlreadyConnected,
                    &[
                        "connectUser: `",
                        &session.user_id,
                        "` is connected; await client.disconnectUser() before connecting `",
                        &user_id,
                        "`",
                    ],
                )),
            };
        }
        let token = Token::new(token, &user_id)?;
        // The core has a deadline of its own.
        let deadline = self.shell.work.begin(None, input::signal(call, options)?)?;
        // A copy: what the app does to its object later is not what it connected with.
        let details = Object::assign(&Object::new(), user.unchecked_ref());
        let session = Rc::new(Session::new(user_id, details.into(), token, self.user.clone()));
        let (sender, settled) = oneshot::channel();
        session.settle.set(Some(sender));
        let (shell, session_too) = (self.shell.clone(), session.clone());
        let connecting = promise(async move {
            let settled = async { settled.await.unwrap_or_else(|_| Err(error::disconnected())) };
            let outcome = deadline.run(settled).await;
            if outcome.is_err() {
                // It was the signal, if the attempt still goes on.
                shell.give_up(&session_too);
            }
            outcome
        });
        session.connecting.set(Some(connecting.clone()));
        self.shell.begin(session);
        Ok(connecting)
    }

    #[wasm_bindgen(js_name = disconnectUser)]
    pub fn disconnect_user(&self) -> Promise {
        self.shell.disconnect()
    }

    #[wasm_bindgen(js_name = devToken)]
    pub fn dev_token(&self, user_id: JsValue) -> Result<JsValue, JsValue> {
        token::development(&input::user_id("devToken", &user_id)?)
    }

    #[wasm_bindgen(js_name = upsertUser)]
    pub fn upsert_user(&self, user: JsValue, options: JsValue) -> Promise {
        self.upsert("upsertUser", &Array::of1(&user).into(), &options)
    }

    #[wasm_bindgen(js_name = upsertUsers)]
    pub fn upsert_users(&self, users: JsValue, options: JsValue) -> Promise {
        self.upsert("upsertUsers", &users, &options)
    }

    #[wasm_bindgen(js_name = partialUpdateUser)]
    pub fn partial_update_user(&self, update: JsValue, options: JsValue) -> Promise {
        self.write("partialUpdateUser", &Array::of1(&update).into(), &options, requests::update_users)
    }

    #[wasm_bindgen(js_name = partialUpdateUsers)]
    pub fn partial_update_users(&self, updates: JsValue, options: JsValue) -> Promise {
        self.write("partialUpdateUsers", &updates, &options, requests::update_users)
    }

    #[wasm_bindgen(js_name = markInvisible)]
    pub fn mark_invisible(&self, options: JsValue) -> Promise {
        self.set_invisible("markInvisible", true, &options)
    }

    #[wasm_bindgen(js_name = markVisible)]
    pub fn mark_visible(&self, options: JsValue) -> Promise {
        self.set_invisible("markVisible", false, &options)
    }

    #[wasm_bindgen(js_name = queryUsers)]
    pub fn query_users(&self, filter: JsValue, sort: JsValue, options: JsValue) -> Promise {
        settled(Query::users(&filter, &sort, &options).map(|query| requests::query_users(&self.shell, query)))
    }

    #[wasm_bindgen(js_name = queryChannels)]
    pub fn query_channels(&self, filter: JsValue, sort: JsValue, options: JsValue) -> Promise {
        settled(Query::channels(&filter, &sort, &options).map(|query| requests::query_channels(&self.shell, query)))
    }

    #[wasm_bindgen(js_name = watchPresence)]
    pub fn watch_presence(&self, ids: JsValue, options: JsValue) -> Promise {
        settled(PresenceWatch::begin(&self.shell, &ids, &options))
    }

    pub fn channel(&self, kind: JsValue, id: JsValue, data: JsValue) -> Result<JsValue, JsValue> {
        self.shell.session("client.channel")?;
        let kind = kind
            .as_string()
            .filter(|kind| limits::is_channel_type(kind))
            .ok_or_else(|| error::invalid(&["client.channel: the type must be a string such as 'messaging'"]))?;
        let (id, data) = channel::arguments(id, data)?;
        Ok(ChannelInner::find_or_create(&self.shell, &kind, id.as_deref(), &data).to_js())
    }

    pub fn on(&self, kind: JsValue, handler: JsValue) -> Result<JsValue, JsValue> {
        self.shell.listeners.on(kind, handler)
    }

    pub fn off(&self, kind: JsValue, handler: JsValue) -> Result<(), JsValue> {
        self.shell.listeners.off(kind, handler)
    }

    fn upsert(&self, call: &'static str, users: &JsValue, options: &JsValue) -> Promise {
        self.write(call, users, options, requests::upsert_users)
    }

    fn write(&self, call: &'static str, users: &JsValue, options: &JsValue, send: requests::Write) -> Promise {
        let users = list_of_users(call, users);
        let checked = users.and_then(|users| Ok((users, input::signal(call, options)?)));
        settled(checked.map(|(users, signal)| send(&self.shell, call, users, signal)))
    }

    fn set_invisible(&self, call: &'static str, invisible: bool, options: &JsValue) -> Promise {
        let Some(session) = self.shell.session_if_any() else {
            return Promise::reject(&error::not_connected(call));
        };
        let user = wire::object("id", &session.id);
        wire::set(&user, "invisible", &invisible.into());
        self.upsert(call, &Array::of1(&user).into(), options)
    }
}
