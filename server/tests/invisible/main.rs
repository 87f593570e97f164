//! Somebody who hides and somebody who is away: nothing that others can see tells them apart.
//!
//! Every story is told twice, on two servers: in one Ada hides and stays connected, in the other
//! she is away. Zoe, who watches her, must see the same in both.
//!
//! Not part of it is `/metrics`, which is for the operator: it counts connections, hidden ones too,
//! and a proxy keeps it from the public (`docs/OPERATIONS.md`). Webhooks tell flips, and hidden
//! connections cause none.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

#[path = "../common/mod.rs"]
mod common;

mod answers;
mod blur;
mod histories;
mod queries;
mod random;
mod story;
