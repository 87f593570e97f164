//! `PresenceWatch`, as JavaScript sees it.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use futures::channel::oneshot;
use js_sys::{Array, Function, Object, Promise, Reflect, Set};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::changes::{PresenceChanges, Reader};
use super::listeners::Listeners;
use super::promise::{promise, settled};
use super::shell::Shell;
use super::slot::Slot;
use super::{error, input, presence, wire};
use crate::core::WatchId;

/// The one event of a watch.
const CHANGE: &str = "change";

/// A set of watched users, and who wants to hear of them.
pub(super) struct WatchInner {
    shell: Rc<Shell>,
    pub(super) id: WatchId,
    /// In the order in which they came.
    ids: Set,
    listeners: Listeners,
    readers: RefCell<Vec<Weak<Reader>>>,
    ended: Cell<bool>,
    /// Kept while the watch lasts: what is listened to must not be collected.
    handle: Slot<JsValue>,
}

impl WatchInner {
    /// A watch of nobody.
    pub(super) fn begin(shell: &Rc<Shell>) -> Rc<Self> {
        let id = shell.core().new_watch();
        let watch = Rc::new(WatchInner {
            shell: shell.clone(),
            id,
            ids: Set::new(&JsValue::UNDEFINED),
            listeners: Listeners::default(),
            readers: RefCell::default(),
            ended: Cell::new(false),
            handle: Slot::default(),
        });
        // Ascending: `Shell::watch` relies on it.
        shell.watches.borrow_mut().push(watch.clone());
        watch
    }

    pub(super) fn is_open(&self) -> bool {
        !self.ended.get()
    }

    fn check_open(&self, call: &str) -> Result<(), JsValue> {
        if self.is_open() {
            return Ok(());
        }
        Err(error::invalid(&[call, ": this watch has ended; call client.watchPresence(ids) for another"]))
    }

    /// Watches these as well, from now on; the future waits for word of all of them.
    pub(super) fn add(
        self: &Rc<Self>,
        call: &str,
        ids: &JsValue,
        signal: Option<AbortSignal>,
    ) -> Result<impl Future<Output = Result<(), JsValue>> + use<>, JsValue> {
        let names = input::user_ids(call, ids)?;
        // No deadline: what is asked for while the network is away is there when it is back.
        let deadline = self.shell.work.begin(None, signal)?;
        let fresh = Array::new();
        wire::each(ids, &mut |id| {
            if !self.ids.has(&id) {
                self.ids.add(&id);
                fresh.push(&id);
            }
        });
        let (sender, word) = oneshot::channel();
        let ticket = self.shell.core().watch(self.id, names);
        self.shell.tickets.borrow_mut().push((ticket, sender));
        self.shell.pump();
        let watch = self.clone();
        Ok(async move {
            let word = async {
                let outcome = word.await.unwrap_or_else(|_| Err(error::disconnected()));
                // Whoever else waits for these has been refused as well. Who merely gives up
                // waiting must not take them from the others.
                if outcome.is_err() {
                    watch.remove(&fresh);
                }
                outcome
            };
            deadline.run(word).await.map(drop)
        })
    }

    fn remove(&self, ids: &JsValue) {
        wire::each(ids, &mut |id| {
            if let (true, Some(name)) = (self.ids.delete(&id), id.as_string()) {
                self.shell.core().unwatch(self.id, &name);
            }
        });
        self.shell.pump();
    }

    /// Ends the watch; whom nobody else watches is forgotten.
    pub(super) fn stop(&self) {
        if self.ended.get() {
            return;
        }
        self.end();
        self.shell.core().listen(self.id, false);
        self.remove(&Array::from(&self.ids));
        self.shell.watches.borrow_mut().retain(|other| other.id != self.id);
    }

    /// Nothing more comes.
    pub(super) fn end(&self) {
        self.ended.set(true);
        self.handle.take();
        for reader in self.readers.take().iter().filter_map(Weak::upgrade) {
            reader.end();
        }
    }

    /// Calls `handler` with each change; returns `{ unsubscribe }`.
    pub(super) fn on_change(&self, handler: Function) -> JsValue {
        self.shell.core().listen(self.id, true);
        self.listeners.add(Some(CHANGE.to_owned()), handler)
    }

    fn iterate(self: &Rc<Self>) -> PresenceChanges {
        let reader = Rc::new(Reader::new(&self.shell));
        if self.ended.get() {
            reader.end();
        } else {
            self.readers.borrow_mut().push(Rc::downgrade(&reader));
            self.shell.core().listen(self.id, true);
        }
        PresenceChanges { reader }
    }

    /// The presence of one of the watched has changed.
    pub(super) fn changed(&self, id: &str, resync: bool) {
        let mut heard = !self.listeners.is_empty();
        for reader in self.readers.take() {
            if let Some(open) = reader.upgrade().filter(|reader| reader.is_open()) {
                // Only wakes whoever reads: nothing of theirs runs here.
                open.push(id, resync);
                self.readers.borrow_mut().push(reader);
                heard = true;
            }
        }
        if !heard {
            // Whoever listened has gone; the core need not tell any more.
            self.shell.core().listen(self.id, false);
        } else if !self.listeners.is_empty() {
            self.listeners.dispatch(CHANGE, &presence::change(&self.shell, id, resync));
        }
    }
}

#[wasm_bindgen(skip_typescript)]
pub struct PresenceWatch {
    inner: Rc<WatchInner>,
}

impl PresenceWatch {
    /// `client.watchPresence(ids)`.
    pub(super) fn begin(shell: &Rc<Shell>, ids: &JsValue, options: &JsValue) -> Result<Promise, JsValue> {
        let call = "watchPresence";
        shell.session(call)?;
        let signal = input::signal(call, options)?;
        let inner = WatchInner::begin(shell);
        let handle = JsValue::from(PresenceWatch { inner: inner.clone() });
        let dispose = wire::get(&wire::get(&js_sys::global(), "Symbol"), "dispose");
        if dispose.is_symbol() {
            let _ = Reflect::set(&handle, &dispose, &wire::get(&handle, "stop"));
        }
        inner.handle.set(handle.clone());
        let word = inner.add(call, ids, signal).inspect_err(|_| inner.stop())?;
        Ok(promise(async move {
            let outcome = word.await;
            if outcome.is_err() {
                inner.stop();
            }
            outcome.map(|()| handle)
        }))
    }
}

#[wasm_bindgen]
impl PresenceWatch {
    #[wasm_bindgen(getter)]
    pub fn ids(&self) -> Array {
        Array::from(&self.inner.ids)
    }

    #[wasm_bindgen(getter)]
    pub fn size(&self) -> u32 {
        self.inner.ids.size()
    }

    pub fn get(&self, id: JsValue) -> Result<Object, JsValue> {
        let id = input::user_id("watch.get", &id)?;
        Ok(presence::of(&self.inner.shell, &id))
    }

    pub fn add(&self, ids: JsValue, options: JsValue) -> Promise {
        settled(self.grow(&ids, &options))
    }

    fn grow(&self, ids: &JsValue, options: &JsValue) -> Result<Promise, JsValue> {
        let call = "watch.add";
        self.inner.check_open(call)?;
        let word = self.inner.add(call, ids, input::signal(call, options)?)?;
        Ok(promise(async move { word.await.map(|()| JsValue::UNDEFINED) }))
    }

    pub fn remove(&self, ids: JsValue) -> Result<(), JsValue> {
        input::user_ids("watch.remove", &ids)?;
        self.inner.remove(&ids);
        Ok(())
    }

    pub fn on(&self, kind: JsValue, handler: JsValue) -> Result<JsValue, JsValue> {
        self.inner.check_open("watch.on")?;
        input::event("watch.on", &kind, CHANGE)?;
        Ok(self.inner.on_change(input::function("watch.on", handler)?))
    }

    pub fn off(&self, kind: JsValue, handler: JsValue) -> Result<(), JsValue> {
        input::event("watch.off", &kind, CHANGE)?;
        self.inner.listeners.off(kind, handler)
    }

    pub fn stop(&self) {
        self.inner.stop();
    }

    #[wasm_bindgen(js_name = "[Symbol.asyncIterator]")]
    pub fn iterate(&self) -> PresenceChanges {
        self.inner.iterate()
    }
}
