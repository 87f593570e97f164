//! Whoever is malicious, or broken, gets the documented error, and the next caller is served.
//!
//! Each table says what is done and what comes of it. That an error, or a close code, is one of
//! those that `docs/PROTOCOL.md` lists is checked with every row; after every row somebody else
//! asks something, and is answered.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

#[path = "../common/mod.rs"]
mod common;

mod bombs;
mod forgery;
mod frames;
mod random_bodies;
mod random_sockets;
mod raw;
mod requests;
mod tokens;

use reqwest::Method;
use serde_json::json;

use common::document::table;
use common::{TestServer, user_token};

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// An error of the table in `docs/PROTOCOL.md`: its status and its code.
    Refused(u16, i64),
    /// This status and no error of ours: what came was no HTTP request.
    NoRequest(u16),
    /// It is harmless, and answered.
    Served(u16),
}

/// The error that a row expects has to be one that the protocol's table lists.
pub fn assert_documented(status: u16, code: i64) {
    let rows = table("Errors");
    let listed = rows.iter().any(|row| row[0] == code.to_string() && row[1] == status.to_string());
    assert!(listed, "docs/PROTOCOL.md lists no error {code} with status {status}");
}

/// Somebody who did nothing wrong is served.
pub async fn assert_serves_others(server: &TestServer) {
    let query = "/users?payload=%7B%22filter_conditions%22%3A%7B%7D%7D";
    let (status, reply) = server.request(&user_token("bob"), Method::GET, query, json!(null)).await;
    assert_eq!(status, 200, "the next caller: {reply}");
}
