//! The browser's WebSocket, closed and silenced when dropped.

use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, WebSocket};

use super::timer::{Callback, callback};
use rollcall_protocol::close;

pub(super) struct Socket {
    socket: WebSocket,
    _on_error: Callback,
    _on_close: Callback,
    /// The code it is closed with.
    farewell: u16,
}

impl Socket {
    /// After `on_close` it is not called again, nor after the drop; nor is the `onmessage` that
    /// the socket has.
    pub(super) fn new(socket: WebSocket, on_close: impl FnMut(u16) + Clone + 'static) -> Socket {
        let (mut closed, mut failed) = (on_close.clone(), on_close);
        let on_close = callback(move |event| closed(event.unchecked_into::<CloseEvent>().code()));
        // Browsers follow an error by a close. Node does not when it could not even connect, and
        // goes on saying that it is connecting.
        let on_error = callback(move |_| failed(close::ABNORMAL));
        socket.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        let farewell = close::GIVEN_UP;
        Socket { socket, _on_error: on_error, _on_close: on_close, farewell }
    }

    /// Sends a text frame; a socket that is not open any more tells so by closing.
    pub(super) fn send(&self, text: &str) {
        let _ = self.socket.send_with_str(text);
    }

    /// Closes with `code`. What is given back tells whoever cares when the server has answered.
    pub(super) fn close(mut self, code: u16) -> WebSocket {
        self.farewell = code;
        self.socket.clone()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onmessage(None);
        self.socket.set_onerror(None);
        self.socket.set_onclose(None);
        // Does nothing to a socket that is closed already.
        let _ = self.socket.close_with_code(self.farewell);
    }
}
