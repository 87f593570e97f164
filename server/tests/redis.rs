//! Redis as the stories across nodes use it: with it, without it, and after it lost what it knew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::net::TcpStream;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use common::redis::{Redis, ask};

#[test]
fn a_redis_that_is_stopped_keeps_what_it_knows_and_one_that_is_killed_what_it_saved() {
    let Some(mut redis) = Redis::start() else { return };
    assert_eq!(redis.ask("SET ada online"), "+OK");
    redis.stop();
    assert!(TcpStream::connect(redis.url().trim_start_matches("redis://")).is_err());
    redis.start_again();
    assert_eq!(redis.ask("GET ada"), "$6\r\nonline");

    redis.ask("SET ada offline");
    redis.kill();
    redis.start_again();
    assert_eq!(redis.ask("GET ada"), "$6\r\nonline");
}

#[test]
fn a_redis_that_is_frozen_answers_once_it_goes_on() {
    let Some(mut redis) = Redis::start() else { return };
    redis.freeze();
    let url = redis.url();
    let (answer, answered) = mpsc::channel();
    thread::spawn(move || answer.send(ask(&url, "PING")));
    assert_eq!(answered.recv_timeout(Duration::from_millis(100)), Err(RecvTimeoutError::Timeout));
    redis.thaw();
    assert_eq!(answered.recv_timeout(Duration::from_secs(20)).as_deref(), Ok("+PONG"));
}
