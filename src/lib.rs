//! Rollcall's client: who is online, for a page that wants to know.
//!
//! Two layers, and the lower one never looks up: [`core`] is the protocol as a state machine,
//! plain Rust without clock, socket or JavaScript; `browser` gives it those. What an app holds in its
//! hands are the classes of `src/page`, in JavaScript. The protocol is described in `docs/PROTOCOL.md`.

#[cfg(target_arch = "wasm32")]
pub mod browser;
pub mod core;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
