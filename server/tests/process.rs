//! The real binary: how it starts, refuses to start, ends, and survives being killed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use common::person::{close_code, next_frame, open_at};
use common::{KEY, SECRET, token, user_token};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// The binary, running.
struct Binary {
    child: Child,
    line: String,
    address: String,
}

fn command(directory: &Path, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall-server"));
    command
        .current_dir(directory)
        .args(["--api-key", KEY, "--api-secret", SECRET])
        .args(flags)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Binary {
    async fn start(directory: &Path) -> Self {
        let mut child = command(directory, &["--listen", "127.0.0.1:0"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("a line in time").unwrap().unwrap();
        let port = line.rsplit(':').next().unwrap();
        let address = format!("127.0.0.1:{port}");
        Self { child, line, address }
    }

    async fn ended(mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("an end in time").unwrap()
    }

    #[cfg(unix)]
    async fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args([name, &id]).status().await.unwrap().success());
    }

    async fn upsert(&self, user: &str, fields: Value) -> Result<StatusCode, reqwest::Error> {
        let mut fields = fields;
        fields["id"] = user.into();
        let response = reqwest::Client::new()
            .post(format!("http://{}/users?api_key={KEY}", self.address))
            .header("authorization", token(json!({ "server": true })))
            .json(&json!({ "users": { user: fields } }))
            .send()
            .await?;
        Ok(response.status())
    }

    async fn users(&self, filter: Value) -> Vec<Value> {
        let payload = json!({ "filter_conditions": filter, "limit": 100, "sort": [{ "field": "id", "direction": 1 }] });
        let query = [("api_key", KEY.to_owned()), ("payload", payload.to_string())];
        let url = reqwest::Url::parse_with_params(&format!("http://{}/users", self.address), query).unwrap();
        let request = reqwest::Client::new().get(url).header("authorization", token(json!({ "server": true })));
        let reply: Value = request.send().await.unwrap().json().await.unwrap();
        reply["users"].as_array().expect("users").clone()
    }
}

fn hello(user: &str) -> [(&'static str, String); 2] {
    let details = json!({ "user_id": user, "user_details": { "id": user } });
    [("json", details.to_string()), ("authorization", user_token(user))]
}

async fn stderr_of(mut child: Child) -> (ExitStatus, String) {
    let mut text = String::new();
    let mut stderr = child.stderr.take().unwrap();
    timeout(PATIENCE, stderr.read_to_string(&mut text)).await.expect("an end in time").unwrap();
    (child.wait().await.unwrap(), text)
}

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
