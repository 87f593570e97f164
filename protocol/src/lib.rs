//! What client and server must agree on to understand each other: event names, error and
//! close codes, limits and extensions of the Stream Chat presence protocol.
//!
//! Only facts live here: no I/O, no parsing, no dependency. `docs/PROTOCOL.md` explains them.

pub mod close;
pub mod error;
pub mod event;
pub mod extension;
pub mod limits;
pub mod timing;

pub use error::{ErrorCode, Reaction};
