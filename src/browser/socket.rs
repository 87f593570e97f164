//! The browser's WebSocket, closed and silenced when dropped.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use super::timer::Timer;
use rollcall_protocol::close;

/// How long a goodbye may take before the socket is left to the browser.
const GOODBYE: u64 = 1_000;

pub(super) struct Socket {
    socket: WebSocket,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Opens a socket. `on_message` gets each text frame as the engine's string; after
    /// `on_close` neither is called again, nor after the drop.
    pub(super) fn open(
        url: &str,
        mut on_message: impl FnMut(JsValue) + 'static,
        mut on_close: impl FnMut(u16) + 'static,
    ) -> Result<Socket, JsValue> {
        let socket = WebSocket::new(url)?;
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| on_message(event.data()));
        let on_close = Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| on_close(event.code()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        // An error is always followed by a close; that says enough.
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Ok(Socket { socket, _on_message: on_message, _on_close: on_close })
    }

    /// Sends a text frame; a socket that is not open any more tells so by closing.
    pub(super) fn send(&self, text: &str) {
        let _ = self.socket.send_with_str(text);
    }

    /// Closes with `code`. The promise resolves when the server has answered, or a second later.
    pub(super) fn close(self, code: u16) -> Promise {
        let socket = self.socket.clone();
        // Detaches our handlers; the goodbye below has its own.
        self.detach();
        let _ = socket.close_with_code(code);
        Promise::new(&mut |resolve: Function, _reject| {
            let done = resolve.clone();
            let timer = Timer::after(GOODBYE, move || {
                let _ = done.call0(&JsValue::UNDEFINED);
            });
            let closed = Closure::once_into_js(move |_event: JsValue| {
                drop(timer);
                let _ = resolve.call0(&JsValue::UNDEFINED);
            });
            socket.set_onclose(Some(closed.unchecked_ref()));
        })
    }

    fn detach(&self) {
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.socket.onmessage().is_some() {
            self.detach();
            let _ = self.socket.close_with_code(close::GIVEN_UP);
        }
    }
}
