//! The real binary: how it starts, refuses to start and ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::process::Stdio;

use common::binary::{Binary, command, hello, stderr_of};
use common::person::{close_code, next_frame, open_at};
use common::{KEY, user_token};
use reqwest::StatusCode;
use serde_json::{Value, json};
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

/// Two registries of who is online would write over each other. Whatever way leads to the file, it is one.
#[cfg(unix)]
#[tokio::test]
async fn a_database_has_one_server_and_is_free_the_moment_that_is_dead() {
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("rollcall.db", directory.path().join("link.db")).unwrap();
    // The first comes by a link that leads to nothing yet.
    let by_link = ["--listen", "127.0.0.1:0", "--database", "sqlite:link.db"];
    let mut first = Binary::spawn(&mut command(directory.path(), &by_link)).await;
    for url in ["sqlite://rollcall.db", "sqlite:link.db"] {
        let second = command(directory.path(), &["--listen", "127.0.0.1:0", "--database", url]).spawn().unwrap();
        let (status, said) = stderr_of(second).await;
        assert!(!status.success() && said.lines().count() == 1, "{said}");
        assert!(said.contains("a server is running on") && said.contains("rollcall.db already"), "{said}");
        assert!(said.contains("another --database"), "{said}");
    }
    first.child.kill().await.unwrap();
    Binary::start(directory.path()).await;
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
async fn whatever_is_wrong_with_the_configuration_is_said_in_one_line_with_its_name() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("broken.toml"), "api-key = ").unwrap();
    std::fs::write(directory.path().join("unknown.toml"), "api_key = 'k'").unwrap();
    let wrong: [(&[&str], &str); 13] = [
        (&["--body-bytes", "0"], "--body-bytes"),
        (&["--users-per-upsert", "0"], "--users-per-upsert"),
        (&["--custom-data-bytes", "0"], "--custom-data-bytes"),
        (&["--event-queue", "0"], "--event-queue"),
        (&["--write-timeout", "0s"], "--write-timeout"),
        (&["--idle-timeout", "5"], "--idle-timeout"),
        (&["--query-timeout", "500000000000years"], "--query-timeout"),
        (&["--listen", "localhost"], "--listen"),
        (&["--tls-cert", "here.pem"], "--tls-key"),
        (&["--no-such-flag"], "--no-such-flag"),
        (&["--log-format", "xml"], "--log-format"),
        (&["--config", "broken.toml"], "--config broken.toml: line 1"),
        (&["--config", "unknown.toml"], "\"api_key\""),
    ];
    for (flags, named) in wrong {
        let (status, said) = stderr_of(command(directory.path(), flags).spawn().unwrap()).await;
        assert_eq!(status.code(), Some(2), "{flags:?}: {said}");
        assert!(said.starts_with("rollcall-server: ") && said.contains(named), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

/// What everybody knows lets in whoever can connect; unless that is what the operator wants.
#[tokio::test]
async fn what_is_for_trying_out_is_refused_where_others_can_connect() {
    let directory = tempfile::tempdir().unwrap();
    let secret = "0123456789abcdef0123456789abcdef";
    let unsafe_flags: [(&[&str], &str); 6] = [
        (&["--api-key", "mine", "--api-secret", secret, "--dev-tokens"], "--dev-tokens"),
        (&["--api-key", "rollcall-demo", "--api-secret", secret], "--api-key"),
        (&["--api-key", "mine", "--api-secret", "short"], "--api-secret"),
        (&["--api-key", "mine", "--api-secret", &secret[1..]], "--api-secret"),
        (&["--api-key", "mine", "--api-secret", "abcdefgabcdefgabcdefgabcdefgabcdefg"], "--api-secret"),
        (&["--api-key", secret, "--api-secret", secret], "--api-secret"),
    ];
    let start = |listen: &str, flags: &[&str], more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall-server"));
        command.current_dir(directory.path()).args(["--listen", listen]).args(flags).args(more).kill_on_drop(true);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    for (flags, named) in unsafe_flags {
        for listen in ["0.0.0.0:0", "[::]:0"] {
            let (status, said) = stderr_of(start(listen, flags, &[]).spawn().unwrap()).await;
            assert!(!status.success(), "{flags:?}");
            assert!(said.starts_with(&format!("rollcall-server: {named} ")), "{said}");
            assert!(said.contains("--demo-on-public-address") && said.lines().count() == 1, "{said}");
        }
        Binary::spawn(&mut start("127.0.0.1:0", flags, &[])).await;
        Binary::spawn(&mut start("0.0.0.0:0", flags, &["--demo-on-public-address"])).await;
    }
    Binary::spawn(&mut start("0.0.0.0:0", &["--api-key", "mine", "--api-secret", secret], &[])).await;
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

/// Nobody sees a restart; who does not come back is told of like any other who was lost.
#[tokio::test]
async fn after_a_crash_who_does_not_come_back_goes_offline() {
    let directory = tempfile::tempdir().unwrap();
    let flags = ["--listen", "127.0.0.1:0", "--offline-grace", "2s"];
    let mut server = Binary::spawn(&mut command(directory.path(), &flags)).await;
    let mut sockets = Vec::new();
    for name in ["ada", "bob", "eve"] {
        let mut socket = open_at(&server.address, &hello(name)).await;
        next_frame(&mut socket).await;
        sockets.push(socket);
    }
    server.child.kill().await.unwrap();

    let server = Binary::spawn(&mut command(directory.path(), &flags)).await;
    let mut ada = open_at(&server.address, &hello("ada")).await;
    let connection = next_frame(&mut ada).await["connection_id"].as_str().unwrap().to_owned();
    let mut bob = open_at(&server.address, &hello("bob")).await;
    next_frame(&mut bob).await;
    let query = [
        ("api_key", KEY.to_owned()),
        ("connection_id", connection),
        ("payload", json!({ "filter_conditions": { "id": { "$in": ["bob", "eve"] } }, "presence": true }).to_string()),
    ];
    let url = reqwest::Url::parse_with_params(&format!("http://{}/users", server.address), query).unwrap();
    let request = reqwest::Client::new().get(url).header("authorization", user_token("ada"));
    let reply: Value = request.send().await.unwrap().json().await.unwrap();
    assert!(reply["users"].as_array().unwrap().iter().all(|user| user["online"] == true), "{reply}");
    loop {
        let event = next_frame(&mut ada).await;
        if event["type"] == "user.presence.changed" {
            assert_eq!((&event["user"]["id"], &event["user"]["online"]), (&json!("eve"), &json!(false)));
            break;
        }
    }
}
