//! A value that is read by copying it.

use std::cell::Cell;

/// Unlike with a `RefCell` there is no borrow to hold on to: nothing here can panic, whatever a
/// listener calls.
#[derive(Default)]
pub(super) struct Slot<T>(Cell<T>);

impl<T: Clone + Default> Slot<T> {
    pub(super) fn get(&self) -> T {
        let value = self.0.take();
        self.0.set(value.clone());
        value
    }

    pub(super) fn set(&self, value: T) {
        self.0.set(value);
    }

    pub(super) fn take(&self) -> T {
        self.0.take()
    }
}
