//! The browser's WebSocket, closed and silenced when dropped.

use std::cell::Cell;
use std::rc::Rc;

use futures::channel::oneshot;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use super::promise::{Callback, callback, promise};
use super::timer::Timer;
use rollcall_protocol::close;

/// How long a goodbye may take before the socket is left to the browser.
const GOODBYE: u64 = 1_000;

pub(super) struct Socket {
    socket: WebSocket,
    _on_message: Callback,
    _on_error: Callback,
    on_close: Callback,
}

impl Socket {
    /// Opens a socket. `on_message` gets each text frame as the engine's string; after
    /// `on_close` neither is called again, nor after the drop.
    pub(super) fn open(
        url: &str,
        mut on_message: impl FnMut(JsValue) + 'static,
        on_close: impl FnMut(u16) + Clone + 'static,
    ) -> Result<Socket, JsValue> {
        let socket = WebSocket::new(url)?;
        let on_message = callback(move |event| on_message(event.unchecked_into::<MessageEvent>().data()));
        let (mut closed, mut failed) = (on_close.clone(), on_close);
        let on_close = callback(move |event| closed(event.unchecked_into::<CloseEvent>().code()));
        // Browsers follow an error by a close. Node does not when it could not even connect, and
        // goes on saying that it is connecting.
        let on_error = callback(move |_| failed(close::ABNORMAL));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Ok(Socket { socket, _on_message: on_message, _on_error: on_error, on_close })
    }

    /// Sends a text frame; a socket that is not open any more tells so by closing.
    pub(super) fn send(&self, text: &str) {
        let _ = self.socket.send_with_str(text);
    }

    /// Closes with `code`. The promise resolves when the server has answered, or a second later.
    pub(super) fn close(mut self, code: u16) -> Promise {
        let (sender, answered) = oneshot::channel();
        let sender = Rc::new(Cell::new(Some(sender)));
        let done = move |_| {
            if let Some(sender) = sender.take() {
                let _ = sender.send(Ok(JsValue::UNDEFINED));
            }
        };
        let timer = Timer::after(GOODBYE, done.clone());
        self.socket.set_onmessage(None);
        self.socket.set_onerror(None);
        self.on_close = callback(done);
        self.socket.set_onclose(Some(self.on_close.as_ref().unchecked_ref()));
        let _ = self.socket.close_with_code(code);
        promise(async move {
            let outcome = answered.await.unwrap_or(Ok(JsValue::UNDEFINED));
            drop((timer, self));
            outcome
        })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onmessage(None);
        self.socket.set_onerror(None);
        self.socket.set_onclose(None);
        // Does nothing to a socket that is closed already.
        let _ = self.socket.close_with_code(close::GIVEN_UP);
    }
}
