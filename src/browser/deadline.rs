//! Every promise settles: with its answer, at its deadline, when the app aborts it, or when the
//! client is disconnected.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::rc::{Rc, Weak};

use futures::channel::oneshot;
use futures::future::{Either, select};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::error::{self, Code};
use super::promise::{Callback, Settle, callback};
use super::timer::Timer;

/// Ends one piece of work with an error, once.
type Once = RefCell<Option<Settle>>;
type Ender = Rc<Once>;

/// The work in progress, so that a disconnect can end it.
#[derive(Default)]
pub(super) struct Work {
    running: RefCell<Vec<Weak<Once>>>,
}

impl Work {
    /// Runs `work` for at most `timeout` milliseconds; what it holds is dropped when it ends early.
    pub(super) async fn within<T>(
        &self,
        timeout: u64,
        signal: Option<AbortSignal>,
        work: impl Future<Output = Result<T, JsValue>>,
    ) -> Result<T, JsValue> {
        if signal.as_ref().is_some_and(AbortSignal::aborted) {
            return Err(aborted());
        }
        let (sender, ended) = oneshot::channel();
        let ender: Ender = Rc::new(RefCell::new(Some(sender)));
        self.add(&ender);
        let _timer = Timer::after(timeout, {
            let ender = ender.clone();
            move || {
                let message = format!("the server did not answer within {timeout} ms; it may succeed later");
                end(&ender, error::error(Code::Timeout, &message));
            }
        });
        let _listener = signal.map(|signal| OnAbort::new(signal, ender.clone()));
        match select(pin!(work), ended).await {
            Either::Left((result, _)) => result,
            Either::Right((ended, _)) => Err(ended.ok().and_then(Result::err).unwrap_or_else(error::disconnected)),
        }
    }

    fn add(&self, ender: &Ender) {
        let mut running = self.running.borrow_mut();
        running.retain(|other| other.strong_count() > 0);
        running.push(Rc::downgrade(ender));
    }

    /// Ends everything that runs.
    pub(super) fn end_all(&self) {
        let running = self.running.take();
        for ender in running.iter().filter_map(Weak::upgrade) {
            end(&ender, error::disconnected());
        }
    }
}

fn end(ender: &Ender, reason: JsValue) {
    if let Some(sender) = ender.borrow_mut().take() {
        // Whoever waited may be gone already.
        let _ = sender.send(Err(reason));
    }
}

fn aborted() -> JsValue {
    error::error(Code::Aborted, "the request was ended by its AbortSignal")
}

/// Listens to the app's signal for as long as the work takes.
struct OnAbort {
    signal: AbortSignal,
    callback: Callback,
}

impl OnAbort {
    fn new(signal: AbortSignal, ender: Ender) -> Self {
        let callback = callback(move |_| end(&ender, aborted()));
        let _ = signal.add_event_listener_with_callback("abort", callback.as_ref().unchecked_ref());
        OnAbort { signal, callback }
    }
}

impl Drop for OnAbort {
    fn drop(&mut self) {
        let _ = self.signal.remove_event_listener_with_callback("abort", self.callback.as_ref().unchecked_ref());
    }
}
