//! The shell around the core: the browser's socket, `fetch` and timers. What an app holds in its
//! hands is JavaScript, in `src/page`: it checks what it is given, and shows what the core knows.
//!
//! Three rules keep a page's code from hurting us. No Rust borrow is held while a listener runs. What
//! the core has the page do does not throw, whatever the app has made of what it is shown.
//! And nothing here panics: what comes from outside is checked, what fails becomes an `Error`.

mod engine;
mod http;
mod page;
mod server_clock;
mod shell;
mod slot;
mod socket;
mod timer;

pub use engine::{Engine, Question};
pub use page::{PresenceClient, set_engine};
