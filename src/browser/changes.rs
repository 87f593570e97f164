//! What `for await` reads from a watch: the newest state of everybody who changed, however slowly
//! it reads.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::channel::oneshot;
use js_sys::{Map, Promise};
use wasm_bindgen::prelude::*;

use super::promise::{Settle, promise};
use super::shell::Shell;
use super::{presence, wire};

pub(super) struct Reader {
    shell: Rc<Shell>,
    /// Who changed since they were read, and whether by a resync. Their presence is looked up
    /// when it is read: a slow reader skips what was between, and one entry a user is all.
    unread: Map,
    /// Readers that are faster than changes come.
    waiting: RefCell<Vec<Settle>>,
    ended: Cell<bool>,
}

impl Reader {
    pub(super) fn new(shell: &Rc<Shell>) -> Self {
        Reader { shell: shell.clone(), unread: Map::new(), waiting: RefCell::default(), ended: Cell::new(false) }
    }

    pub(super) fn is_open(&self) -> bool {
        !self.ended.get()
    }

    pub(super) fn push(&self, id: &str, resync: bool) {
        match self.first_waiting() {
            Some(waiting) => {
                let _ = waiting.send(Ok(self.item(id, resync)));
            }
            None => {
                self.unread.set(&id.into(), &resync.into());
            }
        }
    }

    fn first_waiting(&self) -> Option<Settle> {
        let mut waiting = self.waiting.borrow_mut();
        (!waiting.is_empty()).then(|| waiting.remove(0))
    }

    /// Whoever waits is told that nothing more comes.
    pub(super) fn end(&self) {
        self.ended.set(true);
        self.unread.clear();
        self.waiting.take();
    }

    fn next(self: Rc<Self>) -> Promise {
        if let Some(id) = self.unread.keys().next().ok().map(|next| next.value()).and_then(|id| id.as_string()) {
            let key = JsValue::from_str(&id);
            let resync = self.unread.get(&key).is_truthy();
            self.unread.delete(&key);
            return Promise::resolve(&self.item(&id, resync));
        }
        if self.ended.get() {
            return Promise::resolve(&done());
        }
        let (sender, next) = oneshot::channel();
        self.waiting.borrow_mut().push(sender);
        promise(async move {
            let item = next.await.unwrap_or_else(|_| Ok(done()));
            // It was kept until now: somebody may wait who no longer holds the iterator itself.
            drop(self);
            item
        })
    }

    fn item(&self, id: &str, resync: bool) -> JsValue {
        let item = wire::object("value", &presence::change(&self.shell, id, resync));
        wire::set(&item, "done", &JsValue::FALSE);
        item.into()
    }
}

fn done() -> JsValue {
    wire::object("done", &JsValue::TRUE).into()
}

#[wasm_bindgen(skip_typescript)]
pub struct PresenceChanges {
    pub(super) reader: Rc<Reader>,
}

#[wasm_bindgen]
impl PresenceChanges {
    pub fn next(&self) -> Promise {
        self.reader.clone().next()
    }

    #[wasm_bindgen(js_name = return)]
    pub fn leave(&self) -> Promise {
        self.reader.end();
        Promise::resolve(&done())
    }

    #[wasm_bindgen(js_name = "[Symbol.asyncIterator]")]
    pub fn iterate(&self) -> PresenceChanges {
        PresenceChanges { reader: self.reader.clone() }
    }
}
