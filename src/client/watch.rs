//! A set of watched users.

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::error::Error;
use super::page::{self, JsPresence, JsWatch};
use super::presence::Presence;
use super::subscription::Subscription;

/// A set of watched users. They are watched through reconnects, until this is dropped or the user
/// is disconnected.
#[must_use = "nobody is watched any more once this is dropped"]
pub struct Watch(JsWatch);

impl Watch {
    pub(super) fn new(watch: JsWatch) -> Self {
        Self(watch)
    }

    /// What is known of somebody, whoever watches them; of whom nobody watches nothing is.
    pub fn get(&self, id: &str) -> Presence {
        self.0.get(id).map_or_else(|_| Presence::unknown(id), Presence::from)
    }

    /// Watches these as well; resolves with word of all of them.
    pub async fn add<Id: AsRef<str>>(&self, ids: impl IntoIterator<Item = Id>) -> Result<(), Error> {
        JsFuture::from(self.0.add(&page::ids(ids))).await?;
        Ok(())
    }

    /// Watches these no more.
    pub fn remove<Id: AsRef<str>>(&self, ids: impl IntoIterator<Item = Id>) -> Result<(), Error> {
        Ok(self.0.remove(&page::ids(ids))?)
    }

    /// Calls `listener` with everybody who changes, until what this returns is dropped.
    pub fn on_change(&self, listener: impl Fn(Presence) + 'static) -> Result<Subscription, Error> {
        let listener = move |change: JsValue| listener(Presence::from(change.unchecked_into::<JsPresence>()));
        Subscription::new(listener, |handler| self.0.on("change", handler))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.stop();
    }
}
