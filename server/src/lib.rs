//! User presence as one binary: a server that speaks the Stream Chat presence protocol.

pub mod aside;
pub mod auth;
pub mod bus;
pub mod channel_type;
pub mod cluster;
pub mod config;
pub mod connection;
pub mod endpoint;
pub mod error;
pub mod http;
pub mod hub;
pub mod listener;
pub mod metrics;
pub mod presence;
pub mod profile;
pub mod query;
pub mod rate_limit;
pub mod readers;
pub mod server;
pub mod state;
pub mod store;
pub mod tcp;
pub mod webhook;
pub mod wire;
