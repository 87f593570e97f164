//! User presence as one binary: a server that speaks the Stream Chat presence protocol.

pub mod error;
pub mod query;
pub mod store;
