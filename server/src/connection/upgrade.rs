//! From a request to an open WebSocket.

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::response::Response;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tungstenite::handshake::server::create_response_with_body;
use tungstenite::protocol::{Role, WebSocketConfig};

use crate::error::ApiError;

pub type WebSocket = WebSocketStream<TokioIo<Upgraded>>;

/// Bytes read ahead of a socket: few, because most of them are silent most of the time.
const READ_BUFFER: usize = 256;
/// The Unreal SDK names this protocol and wants to hear it back.
const PROTOCOL: &str = "wss";

/// Agrees to open a socket: the answer to the request, and what becomes the socket once it is sent.
pub fn agree(request: &mut Request) -> Result<(Response, Opening), ApiError> {
    let mut response = create_response_with_body(request, Body::empty)
        .map_err(|_| ApiError::input("this address is for WebSockets"))?;
    let named = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|names| names.to_str().ok());
    if named.flat_map(|names| names.split(',')).any(|name| name.trim() == PROTOCOL) {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    }
    Ok((response, Opening(hyper::upgrade::on(request))))
}

/// A socket that is not open yet.
pub struct Opening(OnUpgrade);

impl Opening {
    /// Waits until it is open; `None` when the client is gone. A frame that is longer than
    /// `frame_bytes` breaks the connection.
    pub async fn socket(self, frame_bytes: usize) -> Option<WebSocket> {
        let upgraded = TokioIo::new(self.0.await.ok()?);
        let config = WebSocketConfig::default()
            .max_frame_size(Some(frame_bytes))
            .max_message_size(Some(frame_bytes))
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0);
        Some(WebSocketStream::from_raw_socket(upgraded, Role::Server, Some(config)).await)
    }
}
