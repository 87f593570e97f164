//! The shell around the core: the browser's socket, `fetch`, timers, and one file for every
//! JavaScript noun.
//!
//! Two rules keep a page's code from hurting us. No Rust borrow is held while a listener runs.
//! And nothing here panics: what comes from outside is checked, what fails becomes an `Error`.

mod changes;
mod channel;
mod client;
mod connection;
mod deadline;
mod error;
mod events;
mod http;
mod input;
mod lifecycle;
mod listeners;
mod presence;
mod promise;
mod requests;
mod server_clock;
mod session;
mod shell;
mod slot;
mod socket;
mod state;
mod timer;
mod token;
mod user;
mod watch;
mod wire;

pub use changes::PresenceChanges;
pub use channel::Channel;
pub use client::PresenceClient;
pub use user::UserPresence;
pub use watch::PresenceWatch;
