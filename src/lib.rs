//! Rollcall's client: who is online, for a page that wants to know.
//!
//! Two layers, and the lower one never looks up: [`core`] is the protocol as a state machine,
//! plain Rust without clock, socket or JavaScript; `browser` gives it those. What an app holds in its
//! hands are the classes of `src/page`, in JavaScript, and for an app in Rust those of `client`, which
//! stand on them. The protocol is described in `docs/PROTOCOL.md`.

#[cfg(target_arch = "wasm32")]
pub mod browser;
#[cfg(target_arch = "wasm32")]
pub mod client;
pub mod core;

#[cfg(all(target_arch = "wasm32", feature = "package"))]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
