//! Events as the bytes that a socket is given, all that wait in one go. They are made anew for each
//! socket and let go of once written: a buffer of each socket's own would stay as long as the longest
//! there ever was.

use std::collections::HashSet;
use std::sync::Arc;

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::bus::Event;

/// A header is at most this long.
const HEADER: usize = 10;

/// A text in a frame.
pub fn text(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + text.len());
    begin(&mut bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// Adds to `bytes` one frame for each event, with its reason where that was asked for.
pub fn singly(events: &[Arc<Event>], explained: bool, bytes: &mut Vec<u8>) {
    let texts = || events.iter().map(|event| event.text(explained).as_str());
    bytes.reserve(texts().map(|text| HEADER + text.len()).sum());
    for text in texts() {
        begin(bytes, text.len());
        bytes.extend_from_slice(text.as_bytes());
    }
}

/// One frame for all of them, for clients that asked for it, because a page pays more for a frame
/// than for what is in it: an array, or the bare event when there is but one. Of several presences
/// of one user only the newest stays.
pub fn together(events: &[Arc<Event>], explained: bool) -> Vec<u8> {
    let mut seen = HashSet::with_capacity(events.len());
    let newest = events.iter().rev().filter(|&event| event.presence_of.as_deref().is_none_or(|user| seen.insert(user)));
    let mut texts: Vec<_> = newest.map(|event| event.text(explained).as_str()).collect();
    texts.reverse();
    let length: usize = match texts.as_slice() {
        [text] => text.len(),
        texts => texts.iter().map(|text| text.len() + 1).sum::<usize>() + 1,
    };
    let mut bytes = Vec::with_capacity(HEADER + length);
    begin(&mut bytes, length);
    match texts.as_slice() {
        [text] => bytes.extend_from_slice(text.as_bytes()),
        texts => {
            for (place, text) in texts.iter().enumerate() {
                bytes.push(if place == 0 { b'[' } else { b',' });
                bytes.extend_from_slice(text.as_bytes());
            }
            bytes.push(b']');
        }
    }
    bytes
}

/// The header of a frame with a text of this many bytes.
fn begin(bytes: &mut Vec<u8>, length: usize) {
    let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
    // Writing to a vector does not fail.
    let _ = header.format(length as u64, bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &'static str, presence_of: Option<&str>) -> Arc<Event> {
        let presence_of = presence_of.map(Into::into);
        Arc::new(Event { json: json.into(), explained: None, presence_of, flipped_at: None })
    }

    #[test]
    fn only_the_newest_presence_of_a_user_stays_and_the_order_is_kept() {
        let events = [event("1", Some("ada")), event("2", None), event("3", Some("bob")), event("4", Some("ada"))];
        assert_eq!(together(&events, false), b"\x81\x07[2,3,4]");
    }

    #[test]
    fn a_single_event_goes_out_as_it_is() {
        assert_eq!(together(&[event("1", Some("ada")), event("2", Some("ada"))], false), b"\x81\x012");
    }

    #[test]
    fn who_did_not_ask_for_batches_gets_every_event_in_a_frame_of_its_own() {
        let mut bytes = Vec::new();
        singly(&[event("1", Some("ada")), event("23", Some("ada"))], false, &mut bytes);
        assert_eq!(bytes, b"\x81\x011\x81\x0223");
    }
}
