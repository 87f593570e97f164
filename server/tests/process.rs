//! The real binary: how it starts, refuses to start, ends, and survives being killed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::binary::{Binary, command, hello, stderr_of};
use common::person::{close_code, next_frame, open_at};
use reqwest::StatusCode;
use serde_json::json;
use tokio::process::Command;

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

/// Writers go on while the server is killed. Afterwards every write that was acknowledged is
/// there, none is half there, and nobody is online.
#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<u32> = vec![0; 4];
    for round in 1..=3 {
        let mut server = Binary::start(directory.path()).await;
        let mut socket = open_at(&server.address, &hello("watcher")).await;
        next_frame(&mut socket).await;
        let (enough, reached) = tokio::sync::oneshot::channel();
        let mut enough = Some(enough);
        let writing = async {
            for number in (round * 10_000).. {
                for (writer, last) in acknowledged.iter_mut().enumerate() {
                    let fields = json!({ "number": number, "same": number });
                    match server.upsert(&format!("writer-{writer}"), fields).await {
                        Ok(status) => assert_eq!(status, StatusCode::CREATED),
                        Err(_) => return,
                    }
                    *last = number;
                }
                if number == round * 10_000 + 5 {
                    let _ = enough.take().map(|enough| enough.send(()));
                }
            }
        };
        let pid = server.child.id().unwrap().to_string();
        let killing = async {
            reached.await.unwrap();
            assert!(Command::new("kill").args(["-KILL", &pid]).status().await.unwrap().success());
        };
        tokio::join!(writing, killing);
        server.child.wait().await.unwrap();

        let server = Binary::start(directory.path()).await;
        let users =
            server.users(json!({ "id": { "$in": ["watcher", "writer-0", "writer-1", "writer-2", "writer-3"] } })).await;
        assert_eq!(users.len(), 5);
        for user in &users {
            assert_eq!(user["online"], false, "{user}");
            assert_eq!(user["number"], user["same"], "{user}");
        }
        for (user, last) in users[1..].iter().zip(&acknowledged) {
            // The one write that was under way may be there too.
            let number = user["number"].as_u64().unwrap() as u32;
            assert!(number == *last || number == last + 1, "{user}, acknowledged {last}");
        }
    }
}
