//! Who wants to hear of events, and calling them so that none can hurt us or the others.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::promise::callback;
use super::{error, input, wire};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = reportError, catch)]
    fn report_error(error: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(error: &JsValue);
}

struct Listener {
    /// `None` listens to everything.
    kind: Option<String>,
    handler: Function,
    /// False once removed, also for an event that is just being delivered.
    active: Cell<bool>,
}

#[derive(Clone, Default)]
pub(super) struct Listeners {
    list: Rc<RefCell<Vec<Rc<Listener>>>>,
}

impl Listeners {
    /// `on(type, handler)` or `on(handler)`; returns `{ unsubscribe }`.
    pub(super) fn on(&self, kind: JsValue, handler: JsValue) -> Result<JsValue, JsValue> {
        let (kind, handler) = arguments("on", kind, handler)?;
        Ok(self.add(kind, handler))
    }

    /// Calls `handler` with events of `kind`; returns `{ unsubscribe }`.
    pub(super) fn add(&self, kind: Option<String>, handler: Function) -> JsValue {
        let listener = Rc::new(Listener { kind, handler, active: Cell::new(true) });
        self.list.borrow_mut().push(listener.clone());

        let (list, listener) = (Rc::downgrade(&self.list), Rc::downgrade(&listener));
        let unsubscribe = callback(move |_| remove(&list, &listener));
        wire::object("unsubscribe", &unsubscribe.into_js_value()).into()
    }

    /// `off(type, handler)` or `off(handler)`.
    pub(super) fn off(&self, kind: JsValue, handler: JsValue) -> Result<(), JsValue> {
        let (kind, handler) = arguments("off", kind, handler)?;
        self.list.borrow_mut().retain(|listener| {
            let found = listener.kind == kind && listener.handler == handler;
            if found {
                listener.active.set(false);
            }
            !found
        });
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.borrow().is_empty()
    }

    /// Calls everyone who listens to `kind`. A listener may add and remove listeners, call
    /// anything, and throw.
    pub(super) fn dispatch(&self, kind: &str, event: &JsValue) {
        let listeners = self.list.borrow().clone();
        for listener in listeners {
            if !listener.active.get() || listener.kind.as_deref().is_some_and(|wanted| wanted != kind) {
                continue;
            }
            if let Err(thrown) = listener.handler.call1(&JsValue::UNDEFINED, event) {
                report(&thrown);
            }
        }
    }
}

/// Tells the page of an error that is nobody's to catch, as an uncaught one would be.
pub(super) fn report(thrown: &JsValue) {
    // Node has no reportError, and throwing there would end the process.
    if report_error(thrown).is_err() {
        console_error(thrown);
    }
}

fn remove(list: &Weak<RefCell<Vec<Rc<Listener>>>>, listener: &Weak<Listener>) {
    if let (Some(list), Some(listener)) = (list.upgrade(), listener.upgrade()) {
        listener.active.set(false);
        list.borrow_mut().retain(|other| !Rc::ptr_eq(other, &listener));
    }
}

fn arguments(call: &str, kind: JsValue, handler: JsValue) -> Result<(Option<String>, Function), JsValue> {
    let (kind, handler) = if kind.is_function() { (None, kind) } else { (Some(kind), handler) };
    let handler = input::function(call, handler)?;
    let kind = match kind {
        None => None,
        Some(kind) => Some(kind.as_string().ok_or_else(|| {
            error::invalid(&[call, ": the event type must be a string such as 'user.presence.changed'"])
        })?),
    };
    Ok((kind, handler))
}
