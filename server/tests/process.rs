//! The real binary: how it starts, refuses to start and ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::binary::{Binary, command, hello, stderr_of};
use common::person::{close_code, next_frame, open_at};
use reqwest::StatusCode;

#[tokio::test]
async fn it_says_where_it_runs_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let server = Binary::start(directory.path()).await;
    let port = server.address.rsplit(':').next().unwrap().parse::<u16>().unwrap();
    assert_eq!(server.line, format!("Rollcall is running at http://localhost:{port}"));
    let health = reqwest::get(format!("http://{}/healthz", server.address)).await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_the_flag() {
    let directory = tempfile::tempdir().unwrap();
    let first = Binary::start(directory.path()).await;
    let second = command(directory.path(), &["--listen", &first.address]).spawn().unwrap();
    let (status, said) = stderr_of(second).await;
    assert!(!status.success());
    assert!(said.contains("--listen") && said.contains(&first.address), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error_that_names_the_flag() {
    let directory = tempfile::tempdir().unwrap();
    let child = command(directory.path(), &["--www", "no-such-folder"]).spawn().unwrap();
    let (status, said) = stderr_of(child).await;
    assert!(!status.success());
    assert!(said.contains("--www names no-such-folder"), "{said}");
}

#[tokio::test]
async fn development_tokens_are_refused_where_others_can_connect() {
    let directory = tempfile::tempdir().unwrap();
    let child = command(directory.path(), &["--dev-tokens", "--listen", "0.0.0.0:0"]).spawn().unwrap();
    let (status, said) = stderr_of(child).await;
    assert!(!status.success());
    assert!(said.contains("--dev-tokens"), "{said}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_ends_it_cleanly() {
    for signal in ["-INT", "-TERM"] {
        let directory = tempfile::tempdir().unwrap();
        let server = Binary::start(directory.path()).await;
        let mut socket = open_at(&server.address, &hello("ada")).await;
        next_frame(&mut socket).await;
        server.signal(signal).await;
        assert_eq!(close_code(&mut socket).await, Some(1001));
        drop(socket);
        assert!(server.ended().await.success(), "{signal}");
    }
}
