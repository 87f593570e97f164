//! Real connections to real servers, and what is measured with them: one file a scenario.

mod audience;
mod backend;
pub mod connects;
mod crowd;
pub mod fan_out;
pub mod growth;
mod health;
pub mod load;
mod member;
pub mod memory;
mod nodes;
mod peers;
mod process;
pub mod query_users;
mod server;
mod socket;
pub mod storm;
mod token;

pub use crowd::Scale;
pub use nodes::Nodes;
