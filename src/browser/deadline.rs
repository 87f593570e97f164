//! Every promise settles: with its answer, at its deadline, when the app aborts it, or when the
//! client is disconnected.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::rc::{Rc, Weak};

use futures::channel::oneshot;
use futures::future::{Either, select};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::error::{self, Code};
use super::promise::{Callback, Outcome, Settle, callback};
use super::timer::Timer;
use super::wire;

/// Ends one piece of work with an error, once.
type Once = Cell<Option<Settle>>;
type Ender = Rc<Once>;

/// The work in progress, so that a disconnect can end it.
#[derive(Default)]
pub(super) struct Work {
    running: Cell<Vec<Weak<Once>>>,
}

/// What ends one piece of work early.
pub(super) struct Deadline {
    ended: oneshot::Receiver<Outcome>,
    /// Lives as long as this: there may be no timer and no signal that keep it.
    _ender: Ender,
    _timer: Option<Timer>,
    _listener: Option<OnAbort>,
}

impl Deadline {
    /// Runs `work` until then; what it holds is dropped when it ends early.
    pub(super) async fn run<T>(self, work: impl Future<Output = Result<T, JsValue>>) -> Result<T, JsValue> {
        match select(pin!(work), self.ended).await {
            Either::Left((result, _)) => result,
            Either::Right((ended, _)) => Err(ended.ok().and_then(Result::err).unwrap_or_else(error::disconnected)),
        }
    }
}

impl Work {
    /// Begins work that may take `timeout` milliseconds, or as long as it likes. From now on, and not only once it is
    /// first polled, a disconnect ends it.
    pub(super) fn begin(&self, timeout: Option<u64>, signal: Option<AbortSignal>) -> Result<Deadline, JsValue> {
        if signal.as_ref().is_some_and(AbortSignal::aborted) {
            return Err(aborted());
        }
        let (sender, ended) = oneshot::channel();
        let ender: Ender = Rc::new(Cell::new(Some(sender)));
        self.add(&ender);
        let late = ender.clone();
        let timer = timeout.map(|timeout| {
            Timer::after(timeout, move |_| {
                let limit = wire::number(timeout as f64);
                let message = ["the server did not answer within ", &limit, " ms; it may succeed later"];
                end(&late, error::error(Code::Timeout, &message));
            })
        });
        let listener = signal.map(|signal| OnAbort::new(signal, ender.clone()));
        Ok(Deadline { ended, _ender: ender, _timer: timer, _listener: listener })
    }

    fn add(&self, ender: &Ender) {
        let mut running = self.running.take();
        running.retain(|other| other.strong_count() > 0);
        running.push(Rc::downgrade(ender));
        self.running.set(running);
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
    if let Some(sender) = ender.take() {
        // Whoever waited may be gone already.
        let _ = sender.send(Err(reason));
    }
}

fn aborted() -> JsValue {
    error::error(Code::Aborted, &["the request was ended by its AbortSignal"])
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
