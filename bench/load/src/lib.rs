//! A crowd of real connections to a real server, and what is measured with it: one file a scenario.

mod crowd;
mod health;
pub mod load;
mod member;
mod server;
pub mod storm;
mod token;
