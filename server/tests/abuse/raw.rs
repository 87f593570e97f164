//! Bytes as they are, for what no client library sends.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::common::{KEY, TestServer, user_token};

/// Far longer than anything takes: only a failing test ever waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came back for some bytes: the status, and the body if it is JSON.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub json: Value,
}

/// Sends the bytes and reads to the end of the connection.
pub async fn send(server: &TestServer, bytes: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The answer may come, and the end, before everything is sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end in time");
    let text = String::from_utf8_lossy(&answer);
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no answer to {:?}: {text:?}", String::from_utf8_lossy(bytes)));
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Reply { status, json: serde_json::from_str(body).unwrap_or_default() }
}

/// A request of Ada's: its first line is `line`, and all else is in order.
pub fn request(line: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let token = user_token("ada");
    let head = format!(
        "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: {token}\r\n{headers}content-length: {}\r\n\r\n",
        body.len(),
    );
    [head.as_bytes(), body].concat()
}

/// The query that every address has.
pub fn with_key(path: &str) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    format!("{path}{mark}api_key={KEY}")
}

/// A socket after its upgrade and first frame, spoken to in bytes.
pub struct RawSocket {
    stream: TcpStream,
    /// Read, and not yet looked at.
    ahead: Vec<u8>,
}

/// A frame from the server.
#[derive(Debug, PartialEq)]
pub struct Frame {
    pub opcode: u8,
    pub payload: Vec<u8>,
}

impl RawSocket {
    /// Ada connects, with these headers besides. Returns the socket and the head of the answer.
    pub async fn open(server: &TestServer, headers: &str) -> (Self, String) {
        let mut url = reqwest::Url::parse("ws://localhost/connect").unwrap();
        let hello = r#"{"user_id":"ada","user_details":{"id":"ada"}}"#;
        let token = user_token("ada");
        url.query_pairs_mut().extend_pairs([("api_key", KEY), ("json", hello), ("authorization", &token)]);
        let head = format!(
            "GET {}?{} HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n",
            url.path(),
            url.query().unwrap(),
        );
        let mut socket = Self { stream: TcpStream::connect(server.address).await.unwrap(), ahead: Vec::new() };
        socket.send(head.as_bytes()).await;
        let end = loop {
            if let Some(at) = socket.ahead.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(socket.read_more().await, "an answer to the upgrade");
        };
        let head = String::from_utf8(socket.ahead.drain(..end).collect()).unwrap();
        let first = socket.next().await.expect("a first frame");
        assert!(String::from_utf8_lossy(&first.payload).contains("health.check"), "{first:?}");
        (socket, head)
    }

    /// Sends bytes; the other side may have hung up already.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// Sends no more.
    pub async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// The next frame; `None` at the end.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, length)) = parse(&self.ahead) {
                self.ahead.drain(..length);
                return Some(frame);
            }
            if !self.read_more().await {
                return None;
            }
        }
    }

    /// Reads to the end; the code of the close frame, if there was one.
    pub async fn close_code(&mut self) -> Option<u16> {
        while let Some(frame) = self.next().await {
            if frame.opcode == 8 {
                return Some(u16::from_be_bytes(frame.payload.get(..2)?.try_into().unwrap()));
            }
        }
        None
    }

    /// Whether the server still answers a ping, rather than closing.
    pub async fn answers_ping(&mut self) -> bool {
        self.send(&masked(0x89, b"still there?")).await;
        while let Some(frame) = self.next().await {
            match frame.opcode {
                10 if frame.payload == b"still there?" => return true,
                8 => return false,
                _ => {}
            }
        }
        false
    }

    async fn read_more(&mut self) -> bool {
        let read = self.stream.read_buf(&mut self.ahead);
        timeout(PATIENCE, read).await.expect("something in time").is_ok_and(|bytes| bytes > 0)
    }
}

/// A server's frame at the beginning of `bytes`, and its length, once it is complete.
fn parse(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (start, length) = match *bytes.get(1)? {
        126 => (4, u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into()),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        length => (2, usize::from(length)),
    };
    let payload = bytes.get(start..start + length)?.to_vec();
    Some((Frame { opcode: bytes[0] & 0x0F, payload }, start + length))
}

/// A client's frame with this first byte, masked as it has to be.
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [7, 77, 177, 27];
    let mut frame = head(first, 0x80, payload.len());
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A frame's first bytes; `masked` is the bit that says so.
pub fn head(first: u8, masked: u8, length: usize) -> Vec<u8> {
    match length {
        0..126 => vec![first, masked | length as u8],
        126..65_536 => [&[first, masked | 126][..], &(length as u16).to_be_bytes()].concat(),
        _ => [&[first, masked | 127][..], &(length as u64).to_be_bytes()].concat(),
    }
}
