//! What may come over a socket that no WebSocket sends.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::assert_serves_others;
use crate::common::TestServer;
use crate::common::document::table;
use crate::raw::{RawSocket, head, masked};

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The server closes with this code, one of those that `docs/PROTOCOL.md` lists.
    Closes(u16),
    /// Nothing: the socket lives on.
    Ignored,
}
use End::{Closes, Ignored};

fn assert_documented(code: u16) {
    let rows = table("Connecting");
    let listed = rows.iter().any(|row| row[0] == code.to_string() && row[1] != "client");
    assert!(listed, "docs/PROTOCOL.md lists no close code {code} of the server's");
}

/// A frame that is not masked, as none from a client may be.
fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    [head(first, 0, payload.len()), payload.to_vec()].concat()
}

/// The first bytes of a frame that claims to be this long.
fn claims(first: u8, length: u64) -> Vec<u8> {
    [&[first, 0xFF][..], &length.to_be_bytes(), &[0; 4]].concat()
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    masked(0x88, &[&code.to_be_bytes(), reason].concat())
}

fn frames() -> Vec<(&'static str, Vec<Vec<u8>>, End)> {
    let text = |payload: &[u8]| vec![masked(0x81, payload)];
    let endless = [vec![masked(0x01, &[b'x'; 1000])], vec![masked(0x00, &[b'x'; 1000]); 1000]].concat();
    let deflated = [0xC1, 0x86, 1, 2, 3, 4, 0xF3, 0x4A, 0xCE, 0xCD, 0x06, 0x04];
    vec![
        ("no JSON", text(b"hello"), Ignored),
        ("lists in lists", text("[".repeat(10_000).as_bytes()), Ignored),
        ("one name twice", text(br#"{"type":"a","type":"b"}"#), Ignored),
        ("an event of the server's", text(br#"{"type":"user.presence.changed","user":{"id":"bob"}}"#), Ignored),
        ("bytes", vec![masked(0x82, &[0xFF; 100])], Ignored),
        ("a pong that nobody asked for", vec![masked(0x8A, b"pong")], Ignored),
        ("a text in two parts", vec![masked(0x01, b"hel"), masked(0x80, b"lo")], Ignored),
        ("a ping between the parts", vec![masked(0x01, b"hel"), masked(0x89, b""), masked(0x80, b"lo")], Ignored),
        ("a thousand pings", vec![masked(0x89, b"ping"); 1000], Ignored),
        ("not masked", vec![unmasked(0x81, b"hello")], Closes(1002)),
        ("a ping that is not masked", vec![unmasked(0x89, b"")], Closes(1002)),
        ("a reserved bit", vec![masked(0xA1, b"hello")], Closes(1002)),
        ("another reserved bit", vec![masked(0x91, b"hello")], Closes(1002)),
        ("compressed, though that was not agreed", vec![deflated.to_vec()], Closes(1002)),
        ("an opcode for data that is none", vec![masked(0x83, b"hello")], Closes(1002)),
        ("an opcode for control that is none", vec![masked(0x8B, b"hello")], Closes(1002)),
        ("a ping in parts", vec![masked(0x09, b"hello")], Closes(1002)),
        ("a ping that is too long", vec![masked(0x89, &[0; 126])], Closes(1002)),
        ("the middle of nothing", vec![masked(0x80, b"hello")], Closes(1002)),
        ("a text within a text", vec![masked(0x01, b"hel"), masked(0x81, b"lo")], Closes(1002)),
        ("a close with half a code", vec![masked(0x88, &[3])], Closes(1002)),
        ("a close with a code that is none", vec![close(5, b"")], Closes(1002)),
        ("a close with a code that is never sent", vec![close(1006, b"")], Closes(1002)),
        ("a close whose reason is not UTF-8", vec![close(1000, b"\xC3\x28")], Closes(1007)),
        ("a text that is not UTF-8", text(b"\xC3\x28"), Closes(1007)),
        ("a text that is not UTF-8 across its parts", vec![masked(0x01, b"\xC3"), masked(0x80, b"(")], Closes(1007)),
        ("a frame that is too long", text(&[b'x'; 100_000]), Closes(1009)),
        ("bytes that are too long", vec![masked(0x82, &[0; 100_000])], Closes(1009)),
        ("a frame that claims a megabyte", vec![claims(0x81, 1 << 20)], Closes(1009)),
        ("a frame that claims all there is", vec![claims(0x81, (1 << 63) - 1)], Closes(1009)),
        ("a frame that claims more than that", vec![claims(0x81, u64::MAX)], Closes(1009)),
        ("parts without end", endless, Closes(1009)),
    ]
}

#[tokio::test]
async fn a_frame_is_read_or_ends_the_socket() {
    let server = TestServer::with(&["--connections-per-user", "0"]).await;
    for (what, frames, end) in frames() {
        let (mut socket, _) = RawSocket::open(&server, "").await;
        for frame in frames {
            if !socket.send(&frame).await {
                break;
            }
        }
        match end {
            Ignored => assert!(socket.answers_ping().await, "{what}: the socket is closed"),
            Closes(code) => {
                assert_documented(code);
                assert_eq!(socket.close_code().await, Some(code), "{what}");
            }
        }
        assert_serves_others(&server).await;
    }
}

/// What no client can agree on with the server: compression.
#[tokio::test]
async fn compression_is_not_agreed_on() {
    let server = TestServer::start().await;
    let offer = "sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n";
    let (mut socket, head) = RawSocket::open(&server, offer).await;
    assert!(!head.to_ascii_lowercase().contains("sec-websocket-extensions"), "{head}");
    assert!(socket.answers_ping().await);
}

/// Something that is nearly a frame: any first byte, masked or not, with a length that may be a lie.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let payload = || prop::collection::vec(any::<u8>(), 0..300);
    prop_oneof![
        4 => (any::<u8>(), payload()).prop_map(|(first, payload)| masked(first, &payload)),
        1 => (any::<u8>(), payload()).prop_map(|(first, payload)| unmasked(first, &payload)),
        1 => (any::<u8>(), any::<u64>()).prop_map(|(first, length)| claims(first, length)),
        1 => payload(),
    ]
}

#[test]
fn a_thousand_malformed_frames_harm_nobody() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(TestServer::with(&["--connections-per-user", "0", "--idle-timeout", "1h"]));
    let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&prop::collection::vec(frame(), 1..4), |frames| {
        runtime.block_on(async {
            let (mut socket, _) = RawSocket::open(&server, "").await;
            for frame in frames {
                if !socket.send(&frame).await {
                    break;
                }
            }
            // No more comes, so that a frame that was not sent to its end is not waited for.
            socket.finish().await;
            if let Some(code) = socket.close_code().await {
                // A close that was well made is answered with its own code.
                prop_assert!([1002, 1007, 1009].contains(&code) || code == 1000 || code >= 3000, "{}", code);
            }
            assert_serves_others(&server).await;
            Ok(())
        })
    });
    outcome.unwrap();
}
