//! What an operator does: configures, watches, drains, backs up, and meets a bad disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::binary::{Binary, command, hello, stderr_of};
use common::person::{close_code, next_frame, open_at};
use common::{KEY, SECRET, TestServer, user_token};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Row};
use tokio::process::Command;

async fn write(directory: &Path, name: &str, text: &str) {
    tokio::fs::write(directory.join(name), text).await.unwrap();
}

// --- Configuration --------------------------------------------------------------------------------

/// The key a server was told counts: with any other one a request is refused with code 2.
async fn goes_by_key(server: &Binary, key: &str) -> bool {
    let reply = Client::new()
        .get(format!("http://{}/app?api_key={key}", server.address))
        .header("authorization", common::token(json!({ "server": true })))
        .send()
        .await
        .unwrap();
    reply.status() == StatusCode::OK
}

#[tokio::test]
async fn a_flag_counts_before_the_environment_and_that_before_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let config = format!("listen = '127.0.0.1:0'\napi-key = 'file'\napi-secret = '{SECRET}'\nevent-queue = 64\n");
    write(directory.path(), "rollcall.toml", &config).await;
    let plain = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall-server"));
        command.current_dir(directory.path()).env("ROLLCALL_CONFIG", "rollcall.toml").kill_on_drop(true);
        command.stdout(std::process::Stdio::piped());
        command
    };
    let server = Binary::spawn(&mut plain()).await;
    assert!(goes_by_key(&server, "file").await);
    drop(server);
    let server = Binary::spawn(plain().env("ROLLCALL_API_KEY", "environment")).await;
    assert!(goes_by_key(&server, "environment").await);
    drop(server);
    let server = Binary::spawn(plain().env("ROLLCALL_API_KEY", "environment").args(["--api-key", "flag"])).await;
    assert!(goes_by_key(&server, "flag").await);
}

#[tokio::test]
async fn what_is_wrong_with_the_configuration_is_said_by_name() {
    let wrong = [
        ("api_key = 'x'", "api_key"),
        ("listen = true", "listen"),
        ("dev-tokens = 'yes'", "dev-tokens"),
        ("listen = '127.0.0.1'", "--listen"),
        ("listen = ", "rollcall.toml"),
        ("config = 'another.toml'", "config"),
        ("allowed-origin = ['https://a.example/page']", "--allowed-origin"),
        ("log = 'rollcall=loud'", "--log"),
    ];
    for (line, named) in wrong {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), "rollcall.toml", line).await;
        let flags = ["--config", "rollcall.toml", "--database", "sqlite::memory:"];
        let (status, said) = stderr_of(command(directory.path(), &flags).spawn().unwrap()).await;
        assert!(!status.success(), "{line}");
        assert!(said.contains(named), "{line}: {said}");
    }
    let directory = tempfile::tempdir().unwrap();
    let (status, said) = stderr_of(command(directory.path(), &["--config", "none.toml"]).spawn().unwrap()).await;
    assert!(!status.success() && said.contains("none.toml"), "{said}");
}

// --- Logs -------------------------------------------------------------------------------------------

#[tokio::test]
async fn logs_are_json_when_asked_and_never_hold_a_secret() {
    let directory = tempfile::tempdir().unwrap();
    let flags = ["--listen", "127.0.0.1:0", "--log-format", "json", "--log", "trace"];
    let mut server = Binary::spawn(&mut command(directory.path(), &flags)).await;
    let good = user_token("ada");
    let forged = common::signed(json!({ "alg": "HS256" }), json!({ "user_id": "ada" }), "another secret");
    for token in [&good, &forged] {
        let mut hello = hello("ada");
        hello[1].1 = token.clone();
        let mut socket = open_at(&server.address, &hello).await;
        next_frame(&mut socket).await;
        let url = format!("http://{}/users?api_key={KEY}&authorization={token}", server.address);
        Client::new().get(url).header("authorization", token).send().await.unwrap();
    }
    server.child.start_kill().unwrap();
    let (_, log) = stderr_of(server.child).await;
    assert!(log.lines().count() > 2, "{log}");
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).expect(line);
        assert!(entry["level"].is_string() && entry["timestamp"].is_string(), "{line}");
    }
    for secret in [SECRET, &good, &forged] {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
}

// --- Origins ----------------------------------------------------------------------------------------

#[tokio::test]
async fn only_pages_of_the_allowed_origins_may_call() {
    let server = TestServer::with(&["--allowed-origin", "https://A.example:443,https://b.example:8443"]).await;
    let ask = async |origin: &str| {
        let request = Client::new().request(Method::OPTIONS, server.url("/users")).header("origin", origin);
        let reply = request.header("access-control-request-method", "GET").send().await.unwrap();
        reply.headers().get("access-control-allow-origin").map(|origin| origin.to_str().unwrap().to_owned())
    };
    assert_eq!(ask("https://a.example").await.as_deref(), Some("https://a.example"));
    assert_eq!(ask("https://b.example:8443").await.as_deref(), Some("https://b.example:8443"));
    assert_eq!(ask("https://evil.example").await, None);

    for (origin, kind) in [
        (Some("https://a.example"), "health.check"),
        (None, "health.check"),
        (Some("https://evil.example"), "connection.error"),
        (Some("null"), "connection.error"),
    ] {
        let mut socket = common::person::open_from(&server.address.to_string(), &hello("ada"), origin).await;
        let frame = next_frame(&mut socket).await;
        assert_eq!(frame["type"], kind, "{origin:?}: {frame}");
    }
}

// --- Shutting down ----------------------------------------------------------------------------------

/// While it drains a server is healthy, not ready, and answers those who are still connected.
#[cfg(unix)]
#[tokio::test]
async fn a_drain_is_spread_and_answers_requests_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let flags = ["--listen", "127.0.0.1:0", "--drain-window", "2s", "--connections-per-user", "0"];
    let server = Binary::spawn(&mut command(directory.path(), &flags)).await;
    let mut sockets = Vec::new();
    for _ in 0..150 {
        let mut socket = open_at(&server.address, &hello("ada")).await;
        next_frame(&mut socket).await;
        sockets.push(socket);
    }
    // A connection for each question, as load balancers have it.
    let client = Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let probe =
        async |path: &str| client.get(format!("http://{}{path}", server.address)).send().await.unwrap().status();
    assert_eq!(probe("/readyz").await, StatusCode::OK);
    let closes = futures_util::future::join_all(sockets.iter_mut().map(async |socket| {
        let code = close_code(socket).await;
        (code, Instant::now())
    }));
    let meanwhile = async {
        server.signal("-TERM").await;
        while probe("/readyz").await != StatusCode::SERVICE_UNAVAILABLE {}
        assert_eq!(probe("/healthz").await, StatusCode::OK);
        Instant::now()
    };
    let (closes, answered) = tokio::join!(closes, meanwhile);
    assert!(closes.iter().all(|(code, _)| *code == Some(1001)), "{closes:?}");
    let (first, last) = (closes.iter().map(|c| c.1).min().unwrap(), closes.iter().map(|c| c.1).max().unwrap());
    // One every ten milliseconds, since the window allows it.
    assert!(last - first >= Duration::from_millis(1000), "all closed within {:?}", last - first);
    assert!(answered < last, "probes are answered {:?} after the last close", answered - last);
    drop(sockets);
    assert!(server.ended().await.success());
}

// --- Backup -----------------------------------------------------------------------------------------

#[tokio::test]
async fn a_backup_of_a_running_server_is_whole_and_refuses_to_overwrite() {
    let directory = tempfile::tempdir().unwrap();
    let server = Binary::start(directory.path()).await;
    for number in 0..20 {
        server.upsert(&format!("user-{number:02}"), json!({ "number": number, "same": number })).await.unwrap();
    }
    let backup = async || stderr_of(command(directory.path(), &["--backup", "copy.db"]).spawn().unwrap()).await;
    let writing = async {
        for number in 0..200 {
            server.upsert("busy", json!({ "number": number, "same": number })).await.unwrap();
        }
    };
    let ((status, said), ()) = tokio::join!(backup(), writing);
    assert!(status.success(), "{said}");

    let (status, said) = backup().await;
    assert!(!status.success() && said.contains("copy.db") && said.lines().count() == 1, "{said}");

    let flags = ["--listen", "127.0.0.1:0", "--database", "sqlite://copy.db"];
    let copy = Binary::spawn(&mut command(directory.path(), &flags)).await;
    let users = copy.users(json!({})).await;
    assert!(users.len() >= 20, "{users:?}");
    for user in users {
        assert_eq!(user["number"], user["same"], "{user}");
    }
}

// --- A bad disk -------------------------------------------------------------------------------------

/// A file that may not grow is what a full disk looks like to the database.
#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_is_an_error_to_the_caller_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut limited = Command::new("sh");
    let binary = env!("CARGO_BIN_EXE_rollcall-server");
    let script = format!(
        "trap '' XFSZ; ulimit -f 1024; exec {binary} --listen 127.0.0.1:0 --api-key {KEY} --api-secret '{SECRET}'"
    );
    limited.current_dir(directory.path()).args(["-c", &script]).kill_on_drop(true);
    limited.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    let server = Binary::spawn(&mut limited).await;
    let padding = "x".repeat(4000);
    let mut acknowledged = 0;
    let refused = loop {
        let user = format!("user-{acknowledged:04}");
        let status = server.upsert(&user, json!({ "padding": padding })).await.unwrap();
        if status != StatusCode::CREATED {
            break status;
        }
        acknowledged += 1;
        assert!(acknowledged < 2000, "the disk is never full");
    };
    assert_eq!(refused, StatusCode::INTERNAL_SERVER_ERROR);
    // It still reads, and says that it is not well.
    assert_eq!(server.users(json!({ "id": "user-0000" })).await.len(), 1);
    let mut server = server;
    server.child.start_kill().unwrap();
    server.child.wait().await.unwrap();

    let server = Binary::start(directory.path()).await;
    let stored = count(&directory.path().join("rollcall.db")).await;
    assert!(stored == acknowledged || stored == acknowledged + 1, "{stored} of {acknowledged}");
    assert_eq!(server.upsert("after", json!({})).await.unwrap(), StatusCode::CREATED);
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_that_fails_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let server = Binary::start(directory.path()).await;
    server.upsert("ada", json!({})).await.unwrap();
    let binary = env!("CARGO_BIN_EXE_rollcall-server");
    let script = format!("trap '' XFSZ; ulimit -f 16; exec {binary} --backup copy.db");
    let mut limited = Command::new("sh");
    limited.current_dir(directory.path()).args(["-c", &script]).kill_on_drop(true);
    limited.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let (status, said) = stderr_of(limited.spawn().unwrap()).await;
    assert!(!status.success() && said.contains("cannot back up to copy.db"), "{said}");
    assert!(!directory.path().join("copy.db").exists());
}

/// Whoever operates it finds out why nobody gets in.
#[cfg(unix)]
#[tokio::test]
async fn no_more_files_is_said_in_the_log_and_passes() {
    let directory = tempfile::tempdir().unwrap();
    let binary = env!("CARGO_BIN_EXE_rollcall-server");
    let script =
        format!("ulimit -n 64; exec {binary} --listen 127.0.0.1:0 --api-key {KEY} --api-secret '{SECRET}' 2>log");
    let mut limited = Command::new("sh");
    limited.current_dir(directory.path()).args(["-c", &script]).kill_on_drop(true);
    limited.stdout(std::process::Stdio::piped());
    let server = Binary::spawn(&mut limited).await;
    let mut idle = Vec::new();
    for _ in 0..80 {
        idle.push(tokio::net::TcpStream::connect(&server.address).await.unwrap());
    }
    let log = async || tokio::fs::read_to_string(directory.path().join("log")).await.unwrap();
    let said = async { while !log().await.contains("cannot accept connections") {} };
    tokio::time::timeout(Duration::from_secs(10), said).await.expect("a word in the log");
    drop(idle);
    let health = reqwest::get(format!("http://{}/healthz", server.address)).await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    assert_eq!(log().await.matches("cannot accept connections").count(), 1);
}

/// More than what it is started with; and those who say nothing leave some for the database.
#[cfg(unix)]
#[tokio::test]
async fn it_takes_as_many_files_as_the_system_gives() {
    let directory = tempfile::tempdir().unwrap();
    let binary = env!("CARGO_BIN_EXE_rollcall-server");
    let script = format!(
        "ulimit -Sn 64; ulimit -Hn 400; exec {binary} --listen 127.0.0.1:0 --api-key {KEY} --api-secret '{SECRET}' 2>log"
    );
    let mut limited = Command::new("sh");
    limited.current_dir(directory.path()).args(["-c", &script]).kill_on_drop(true);
    limited.stdout(std::process::Stdio::piped());
    let server = Binary::spawn(&mut limited).await;
    let mut sockets = Vec::new();
    for number in 0..100 {
        let mut socket = open_at(&server.address, &hello(&format!("user-{number}"))).await;
        assert_eq!(next_frame(&mut socket).await["type"], "health.check");
        sockets.push(socket);
    }
    let mut idle = Vec::new();
    // Some more than there are places for.
    for _ in 0..230 {
        idle.push(tokio::net::TcpStream::connect(&server.address).await.unwrap());
    }
    let health = Client::new().get(format!("http://{}/healthz", server.address)).send().await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    assert!(!tokio::fs::read_to_string(directory.path().join("log")).await.unwrap().contains("cannot accept"));
    drop(idle);
    assert_eq!(server.upsert("ada", json!({})).await.unwrap(), StatusCode::CREATED);
}

async fn count(database: &Path) -> i64 {
    let mut connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(database)).await.unwrap();
    let sql = "SELECT count(*) FROM users WHERE id LIKE 'user-%'";
    sqlx::query(sql).fetch_one(&mut connection).await.unwrap().get(0)
}

#[tokio::test]
async fn a_locked_file_is_an_error_to_the_caller_until_it_is_free() {
    let directory = tempfile::tempdir().unwrap();
    let server = Binary::start(directory.path()).await;
    let file = directory.path().join("rollcall.db");
    let mut other = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    assert_eq!(server.upsert("ada", json!({})).await.unwrap(), StatusCode::INTERNAL_SERVER_ERROR);
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(server.upsert("ada", json!({})).await.unwrap(), StatusCode::CREATED);
}

#[cfg(unix)]
#[tokio::test]
async fn a_locked_file_holds_up_no_stop() {
    let directory = tempfile::tempdir().unwrap();
    let flags = ["--listen", "127.0.0.1:0", "--shutdown-timeout", "500ms", "--drain-window", "0s"];
    let server = Binary::spawn(&mut command(directory.path(), &flags)).await;
    let file = directory.path().join("rollcall.db");
    let mut other = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await.unwrap();
    let mut socket = open_at(&server.address, &hello("ada")).await;
    next_frame(&mut socket).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    // It is to be written when she was here last.
    drop(socket);
    let began = Instant::now();
    server.signal("-TERM").await;
    assert!(server.ended().await.success());
    // What waits for the file waits for five seconds at least.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}
