//! Several events in one frame, for clients that asked for it: a page pays more for a frame
//! than for what is in it.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;

use crate::bus::Event;

/// Joins events into one frame: an array, or the bare event when there is but one. Of several
/// presences of one user only the newest stays, with its reason where that was asked for.
pub fn join(events: &mut Vec<Arc<Event>>, explained: bool) -> Option<Utf8Bytes> {
    let mut seen = HashSet::new();
    events.reverse();
    events.retain(|event| event.presence_of.as_ref().is_none_or(|user| seen.insert(user.clone())));
    events.reverse();
    match events.as_slice() {
        [] => None,
        [event] => Some(event.text(explained).clone()),
        events => {
            let bytes: usize = events.iter().map(|event| event.text(explained).len() + 1).sum();
            let mut frame = String::with_capacity(bytes + 1);
            for event in events {
                frame.push(if frame.is_empty() { '[' } else { ',' });
                frame.push_str(event.text(explained));
            }
            frame.push(']');
            Some(frame.into())
        }
    }
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
        let mut events =
            vec![event("1", Some("ada")), event("2", None), event("3", Some("bob")), event("4", Some("ada"))];
        assert_eq!(join(&mut events, false).unwrap().as_str(), "[2,3,4]");
    }

    #[test]
    fn a_single_event_goes_out_as_it_is() {
        assert_eq!(join(&mut vec![event("1", Some("ada")), event("2", Some("ada"))], false).unwrap().as_str(), "2");
        assert_eq!(join(&mut Vec::new(), false), None);
    }
}
