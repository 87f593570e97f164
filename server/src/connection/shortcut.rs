//! The way past a connection's task, for events that each have a frame of their own.

use std::sync::Arc;

use super::outgoing;
use crate::bus::Event;
use crate::hub;
use crate::metrics::Delays;
use crate::tcp::{Writer, Written};

pub struct Shortcut {
    pub writer: Writer,
    /// Events come with their reasons.
    pub explained: bool,
    pub delivery: Delays,
}

impl hub::Shortcut for Shortcut {
    fn try_send(&self, events: &[Arc<Event>], bytes: &mut Vec<u8>) -> Written {
        bytes.clear();
        outgoing::singly(events, self.explained, bytes);
        let written = self.writer.try_write(bytes);
        if written != Written::Nothing {
            self.delivery.observe_since(events.iter().filter_map(|event| event.flipped_at));
        }
        written
    }

    fn seal(&self) {
        self.writer.seal();
    }
}
