//! The client for apps written in Rust that run in a browser, whatever framework they use.
//!
//! It is the client of the npm package, with Rust's types around it: [`Client`] connects a user,
//! [`Watch`] tells who is online. What it calls, it calls on the one thread that a page has; what
//! it returns may be kept in a component's state, and ends what it stands for when it is dropped.
//!
//! ```ignore
//! async fn watch(user: String, server: String, seen: Callback<Presence>) -> Result<(Watch, Subscription), Error> {
//!     let client = Client::new("rollcall-demo", &server)?;
//!     let token = client.dev_token(&user)?;
//!     client.connect_user(user, token).await?;
//!     let watch = client.watch_presence(TEAM).await?;
//!     TEAM.iter().for_each(|id| seen.emit(watch.get(id)));
//!     let subscription = watch.on_change(move |presence| seen.emit(presence))?;
//!     Ok((watch, subscription))
//! }
//! ```
//!
//! The rest of this component, for Yew, is in `examples/yew`.

mod connection;
mod error;
mod page;
mod presence;
mod subscription;
mod token;
mod user;
mod watch;

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

pub use crate::core::{Freshness, Status};
pub use connection::Connection;
pub use error::{Code, Error};
pub use presence::Presence;
pub use subscription::Subscription;
pub use token::Token;
pub use user::User;
pub use watch::Watch;

use crate::browser::PresenceClient;

/// Somebody's connection to a server, and what they watch. Clones are the same client.
#[derive(Clone)]
pub struct Client(PresenceClient);

impl Client {
    /// A client that is not connected yet. `base_url` is where the server is, such as
    /// `https://presence.example.com`.
    ///
    /// Fails with [`Code::INVALID_ARGUMENT`] when one of them cannot be right.
    pub fn new(api_key: &str, base_url: &str) -> Result<Self, Error> {
        Self::with(api_key, &[("baseURL", &base_url.into())])
    }

    /// The same, for a page that watches thousands: the server may let changes wait for one another
    /// for this many milliseconds, 1000 at the most, so that they come in fewer messages. The first
    /// one after a quiet time never waits.
    pub fn with_batch_window(api_key: &str, base_url: &str, milliseconds: u16) -> Result<Self, Error> {
        Self::with(api_key, &[("baseURL", &base_url.into()), ("batchWindow", &milliseconds.into())])
    }

    fn with(api_key: &str, options: &[(&str, &JsValue)]) -> Result<Self, Error> {
        page::make_engine();
        Ok(Self(PresenceClient::new(api_key, &page::object(options))?))
    }

    /// Connects a user: they are online from now on, and again after every loss of the connection.
    ///
    /// Fails with the server's code when it refuses, and with [`Code::NETWORK`] or [`Code::TIMEOUT`]
    /// when there is no server within 15 seconds.
    pub async fn connect_user(&self, user: impl Into<User>, token: impl Into<Token>) -> Result<(), Error> {
        done(self.0.connect_user(&user.into().into(), &token.into().into())).await
    }

    /// The user is offline at once, and all watches have ended.
    pub async fn disconnect_user(&self) -> Result<(), Error> {
        done(self.0.disconnect_user()).await
    }

    /// A token for anybody, which only servers with development tokens accept.
    pub fn dev_token(&self, user_id: &str) -> Result<Token, Error> {
        Ok(Token::from(self.0.dev_token(user_id)?))
    }

    /// Watches these users, any number of them, for as long as the [`Watch`] is kept. Resolves with
    /// word of all of them.
    ///
    /// Fails with [`Code::NOT_CONNECTED`] while nobody is connected.
    pub async fn watch_presence<Id: AsRef<str>>(&self, ids: impl IntoIterator<Item = Id>) -> Result<Watch, Error> {
        Ok(Watch::new(JsFuture::from(self.0.watch_presence(&page::ids(ids))).await?.unchecked_into()))
    }

    /// Sets the connected user's status text; none without one.
    pub async fn set_status(&self, status: Option<&str>) -> Result<(), Error> {
        let id = self.0.user_id().ok_or_else(Error::not_connected)?.into();
        let update = match status {
            Some(status) => page::object(&[("id", &id), ("set", &page::object(&[("status", &status.into())]))]),
            None => page::object(&[("id", &id), ("unset", &page::ids(["status"]))]),
        };
        done(self.0.partial_update_user(&update)).await
    }

    /// Looks offline to everyone else, until [`Client::mark_visible`].
    pub async fn mark_invisible(&self) -> Result<(), Error> {
        done(self.0.mark_invisible()).await
    }

    /// Shows the connected user again.
    pub async fn mark_visible(&self) -> Result<(), Error> {
        done(self.0.mark_visible()).await
    }

    /// What the connection is doing.
    pub fn connection(&self) -> Connection {
        Connection::from(self.0.connection())
    }

    /// Calls `listener` with every change of the connection, until what this returns is dropped.
    pub fn on_connection(&self, listener: impl Fn(Connection) + 'static) -> Result<Subscription, Error> {
        self.on("connection.state", move |event| {
            let event: page::ConnectionEvent = event.unchecked_into();
            listener(Connection::from(event.connection()));
        })
    }

    /// Calls `listener` with every event of this type, as the JavaScript object that it is, until
    /// what this returns is dropped.
    pub fn on(&self, kind: &str, listener: impl Fn(JsValue) + 'static) -> Result<Subscription, Error> {
        Subscription::new(listener, |handler| self.0.on(kind, handler))
    }

    /// The client as JavaScript has it, `PresenceClient` of the npm package, for what has no Rust
    /// types: queries and channels.
    pub fn as_js(&self) -> &JsValue {
        self.0.as_ref()
    }
}

async fn done(promise: Promise) -> Result<(), Error> {
    JsFuture::from(promise).await?;
    Ok(())
}
