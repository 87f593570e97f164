//! The bus of a single node: a function call.

use super::{Bus, Envelope, Sink};

pub struct LocalBus {
    sink: Sink,
}

impl LocalBus {
    pub fn new(sink: Sink) -> Self {
        Self { sink }
    }
}

impl Bus for LocalBus {
    fn publish(&self, envelope: Envelope) {
        (self.sink)(&envelope);
    }
}
