//! What a server says over a WebSocket, taken at its word.

use serde_json::Value;

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
/// What the server closes with, by the table of the protocol; and what a client may close with, which
/// the answer repeats.
const OURS: [u16; 8] = [1000, 1001, 1002, 1007, 1008, 1009, 1013, 4000];

/// The texts among the frames. Panics at whatever no client would understand.
pub fn texts(mut bytes: &[u8]) -> Vec<Value> {
    let mut texts = Vec::new();
    while let Some((opcode, payload, rest)) = frame(bytes) {
        match opcode {
            TEXT => texts.push(serde_json::from_slice(payload).unwrap_or_else(|error| panic!("not JSON: {error}"))),
            CLOSE => {
                close(payload);
                assert!(rest.is_empty(), "more after the close");
            }
            PING | PONG => assert!(payload.len() <= 125, "a long control frame"),
            other => panic!("a frame of kind {other}"),
        }
        bytes = rest;
    }
    assert!(bytes.is_empty(), "half a frame: {bytes:?}");
    texts
}

fn close(payload: &[u8]) {
    match payload {
        [] => {}
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            let theirs = (1000..=1015).contains(&code) || (3000..5000).contains(&code);
            assert!(OURS.contains(&code) || theirs, "closed with {code}");
            assert!(std::str::from_utf8(reason).is_ok() && reason.len() <= 123, "a reason that is none");
        }
        [_] => panic!("half a code"),
    }
}

/// The first frame: its opcode and payload, and what comes after it.
fn frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [first, second, rest @ ..] = bytes else { return None };
    assert_eq!(first & 0b1111_0000, 0b1000_0000, "whole frames, and nothing that was not agreed on");
    let (length, rest) = match second {
        0..=125 => (usize::from(*second), rest),
        126 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), &rest[2..]),
        127 => (usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).ok()?, &rest[8..]),
        _ => panic!("a server masks nothing"),
    };
    Some((first & 0b1111, rest.get(..length)?, &rest[length..]))
}
