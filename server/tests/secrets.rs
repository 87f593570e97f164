//! What is secret stays so: in logs, in answers, in metrics, and in what is said to whoever starts the
//! server the wrong way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::path::Path;
use std::process::Stdio;

use common::binary::{Binary, stderr_of};
use common::person::{Socket, open_at};
use common::postgres::{self, Postgres};
use common::{KEY, allow_requests, signed, token, user_token};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Client, Method};
use rollcall_server::config::Config;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;

/// Each is found wherever a part of it is said.
const SECRETS: [&str; 8] = [
    common::SECRET,
    "hunter2-database",
    "hunter2-misspelt",
    "hunter2-redis",
    "hunter2-webhook",
    "hunter2-path",
    "hunter2-query",
    "hunter2-private",
];

fn assert_silent(said: &str, tokens: &[String], what: &str) {
    for secret in SECRETS.into_iter().map(str::to_owned).chain(tokens.iter().cloned()) {
        let Some(at) = said.find(&secret) else { continue };
        let from = said.floor_char_boundary(at.saturating_sub(300));
        let to = said.ceil_char_boundary((at + 100).min(said.len()));
        panic!("{what} says {secret}: {}", &said[from..to]);
    }
}

fn server(directory: &Path, flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall-server"));
    command.current_dir(directory).args(flags).kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

// --- While it runs ----------------------------------------------------------------------------------

/// Whatever is answered, to be looked through at the end.
#[derive(Default)]
struct Heard {
    all: String,
    tokens: Vec<String>,
}

impl Heard {
    async fn request(&mut self, address: &str, method: Method, path: &str, token: &str, body: &str) {
        self.note(token);
        // SDKs do not put it there, but somebody will.
        let mark = if path.contains('?') { '&' } else { '?' };
        let url = format!("http://{address}{path}{mark}api_key={KEY}&authorization={token}");
        let request = Client::new().request(method, url).header("authorization", token).body(body.to_owned());
        let reply = request.send().await.unwrap();
        self.all += &format!("{:?}", reply.headers());
        self.all += &reply.text().await.unwrap();
    }

    async fn connect(&mut self, address: &str, query: &[(&str, String)]) -> Socket {
        for (name, value) in query {
            if *name == "authorization" {
                self.note(value);
            }
        }
        open_at(address, query).await
    }

    /// What the socket says first, whatever it is.
    async fn first(&mut self, socket: &mut Socket) {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => self.all += &text,
            Some(Ok(Message::Close(Some(frame)))) => self.all += &frame.reason,
            other => panic!("neither greeted nor refused: {other:?}"),
        }
    }

    fn note(&mut self, token: &str) {
        // The part that cannot be guessed. Development tokens have none.
        let signature = token.rsplit('.').next().unwrap().to_owned();
        if signature.len() > 20 && !self.tokens.contains(&signature) {
            self.tokens.push(signature);
        }
    }
}

fn greeting(user: &str, token: &str) -> Vec<(&'static str, String)> {
    let details = json!({ "user_id": user, "user_details": { "id": user }, "user_token": token });
    vec![("json", details.to_string()), ("authorization", token.to_owned())]
}

/// People come in, are refused, and make every mistake there is.
async fn goes_wrong(address: &str, heard: &mut Heard) {
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let forged = signed(header.clone(), json!({ "user_id": "ada" }), "another secret");
    let expired = token(json!({ "user_id": "ada", "exp": 1 }));
    let other = signed(json!({ "alg": "none" }), json!({ "user_id": "ada" }), common::SECRET);
    let (ada, backend) = (user_token("ada"), token(json!({ "server": true })));
    for token in [&ada, &forged, &expired, &other, &backend] {
        let mut socket = heard.connect(address, &greeting("ada", token)).await;
        heard.first(&mut socket).await;
        for (method, path, body) in [
            (Method::GET, "/users", ""),
            (Method::POST, "/users", "{\"users\":"),
            (Method::POST, "/users", r#"{"users":{"ada":{"id":"ada","role":"admin"}}}"#),
            (Method::POST, "/users", r#"{"users":{"bob":{"id":"bob"}}}"#),
            (Method::GET, "/users?payload=%7B%22filter_conditions%22%3A%7B%22%24or%22%3A1%7D%7D", ""),
            (Method::POST, "/channels/messaging/tea/query", r#"{"watch":true,"connection_id":"x"}"#),
            (Method::POST, "/channels/messaging/nowhere/message", r#"{"message":{"text":"Hi"}}"#),
            (Method::POST, "/users/delete", r#"{"user_ids":["nobody"],"user":"hard"}"#),
            (Method::POST, "/guest", r#"{"user":{"id":"guest"}}"#),
            (Method::GET, "/longpoll?json=%7B", ""),
            (Method::GET, "/no/such/path", ""),
            (Method::PUT, "/users", ""),
            (Method::GET, "/healthz", ""),
            (Method::GET, "/readyz", ""),
            (Method::GET, "/metrics", ""),
        ] {
            heard.request(address, method, path, token, body).await;
        }
        let _ = socket.send(Message::text("not JSON")).await;
        drop(socket);
    }
    let mut malformed = greeting("ada", &ada);
    malformed[0].1 = format!("{{\"user_token\":\"{ada}\"");
    let mut socket = heard.connect(address, &malformed).await;
    heard.first(&mut socket).await;
}

/// The server of the application, which refuses what it is told.
async fn refusing_webhook() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Ends without a word: an error that names the address.
            drop(stream);
        }
    });
    format!("http://user:hunter2-webhook@{address}/hunter2-path?key=hunter2-query")
}

async fn runs_and_tells_nothing(database: &str, format: &str, outage: impl FnOnce()) {
    allow_requests();
    let directory = tempfile::tempdir().unwrap();
    let webhook = refusing_webhook().await;
    let flags = ["--listen", "127.0.0.1:0", "--log", "trace", "--log-format", format, "--offline-grace", "0s"];
    let mut command = server(directory.path(), &flags);
    command.env("ROLLCALL_API_KEY", KEY).env("ROLLCALL_API_SECRET", common::SECRET);
    command.env("ROLLCALL_DATABASE", database).env("ROLLCALL_WEBHOOK_URL", webhook);
    let mut server = Binary::spawn(&mut command).await;
    let mut stderr = server.child.stderr.take().unwrap();
    let reading = tokio::spawn(async move {
        let mut log = String::new();
        stderr.read_to_string(&mut log).await.unwrap();
        log
    });
    let mut heard = Heard { all: server.line.clone(), ..Heard::default() };
    goes_wrong(&server.address, &mut heard).await;
    outage();
    goes_wrong(&server.address, &mut heard).await;
    server.child.start_kill().unwrap();
    let log = reading.await.unwrap();
    assert!(log.lines().count() > 100, "{log}");
    assert!(log.contains("the webhook is tried again"), "the webhook was asked");
    assert_silent(&log, &heard.tokens, &format!("the log in {format}"));
    assert_silent(&heard.all, &[], "an answer");
    // Guests get a token, and nobody else has it said to them.
    let said = heard.all.split("access_token").count() - 1;
    assert!(heard.tokens.len() >= 5 && said > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_runs_tells_no_secret() {
    for format in ["text", "json"] {
        runs_and_tells_nothing("sqlite://rollcall.db", format, || {}).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_on_postgres_tells_no_secret_whether_it_is_there_or_not() {
    for format in ["text", "json"] {
        let Some(mut postgres) = Postgres::start() else { return };
        let database = postgres.database().await.replace("rollcall@", "rollcall:hunter2-database@");
        let database = format!("{database}&pasword=hunter2-misspelt");
        runs_and_tells_nothing(&database, format, || postgres.stop()).await;
    }
}

// --- When it does not start -------------------------------------------------------------------------

/// What the server says, and that it ended with this outcome.
async fn says(command: &mut Command, success: bool) -> String {
    let mut child = command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (status, mut said) = stderr_of(child).await;
    stdout.read_to_string(&mut said).await.unwrap();
    assert_eq!(status.success(), success, "{said}");
    said
}

#[tokio::test]
async fn what_helps_and_what_refuses_to_start_tells_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let secrets = [
        ("ROLLCALL_API_SECRET", common::SECRET),
        ("ROLLCALL_DATABASE", "postgres://ada:hunter2-database@nowhere.invalid/rollcall"),
        ("ROLLCALL_WEBHOOK_URL", "http://user:hunter2-webhook@localhost/hunter2-path"),
        ("ROLLCALL_REDIS", "redis://:hunter2-redis@localhost"),
    ];
    for flag in ["--help", "-h", "--version"] {
        let said = says(server(directory.path(), &[flag]).envs(secrets), true).await;
        assert_silent(&said, &[], flag);
    }
    for database in [
        "postgres://ada:hunter2-database@nowhere.invalid/rollcall",
        "postgres://ada:hunter2-database@localhost:port/rollcall",
        "postgres://ada:hunter2-database@localhost/rollcall?sslmode=maybe",
        "postgres://ada:hunter2-database@localhost/rollcall?port=1&pasword=hunter2-misspelt",
        "postgres://ada:hunter2-database@local host/rollcall",
        "postgres:hunter2-database",
        "mysql://ada:hunter2-database@localhost/rollcall",
        "hunter2-database",
    ] {
        let mut command = server(directory.path(), &["--api-key", KEY, "--log", "trace"]);
        let said = says(command.envs(secrets).env("ROLLCALL_DATABASE", database), false).await;
        assert!(said.contains("--database"), "{database}: {said}");
        assert_silent(&said, &[], database);
    }
    for webhook in
        ["http://user:hunter2-webhook@host:port/hunter2-path", "ftp://user:hunter2-webhook@host", "hunter2-webhook"]
    {
        let mut command = server(directory.path(), &["--api-key", KEY]);
        let said = says(command.envs(secrets).env("ROLLCALL_WEBHOOK_URL", webhook), false).await;
        assert!(said.contains("--webhook-url"), "{webhook}: {said}");
        assert_silent(&said, &[], webhook);
    }
}

#[tokio::test]
async fn an_address_of_redis_that_is_none_is_not_repeated() {
    let Some(postgres) = postgres::shared() else { return };
    let directory = tempfile::tempdir().unwrap();
    let database = postgres.database().await;
    for redis in ["redis://:hunter2-redis@host:port", "http://:hunter2-redis@localhost", "hunter2-redis"] {
        let flags =
            ["--api-key", KEY, "--api-secret", common::SECRET, "--database", &database, "--listen", "127.0.0.1:0"];
        let said = says(server(directory.path(), &flags).env("ROLLCALL_REDIS", redis), false).await;
        assert!(said.contains("--redis"), "{redis}: {said}");
        assert_silent(&said, &[], redis);
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_not_repeated() {
    let directory = tempfile::tempdir().unwrap();
    for line in [
        format!("api-secret = {}", common::SECRET),
        format!("api-secret = '{}", common::SECRET),
        format!("api-secret: '{}'", common::SECRET),
        format!("api-secret = ['{}']", common::SECRET),
        format!("api-secret = '{0}'\napi-secret = '{0}'", common::SECRET),
        format!("secret = '{}'", common::SECRET),
        format!("database = 'postgres://ada:hunter2-database@localhost/rollcall' api-secret = '{}'", common::SECRET),
        "webhook-url = 'hunter2-webhook'".to_owned(),
    ] {
        std::fs::write(directory.path().join("rollcall.toml"), format!("api-key = 'key'\n{line}\n")).unwrap();
        let said = says(&mut server(directory.path(), &["--config", "rollcall.toml"]), false).await;
        assert!(said.contains("--config rollcall.toml") || said.contains("--webhook-url"), "{line}: {said}");
        assert_silent(&said, &[], &line);
    }
    let pem = "-----BEGIN PRIVATE KEY-----\nhunter2-private\n-----END PRIVATE KEY-----\n";
    for name in ["key.pem", "cert.pem"] {
        std::fs::write(directory.path().join(name), pem).unwrap();
    }
    let flags = ["--api-key", KEY, "--api-secret", common::SECRET, "--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let said = says(&mut server(directory.path(), &flags), false).await;
    assert!(said.contains("--tls-"), "{said}");
    assert_silent(&said, &[], "a key");
}

/// A panic prints what it is given.
#[test]
fn what_is_printed_of_the_configuration_holds_no_secret() {
    let flags = [
        "rollcall-server".to_owned(),
        format!("--api-secret={}", common::SECRET),
        "--api-key=key".to_owned(),
        "--database=postgres://ada:hunter2-database@localhost/rollcall".to_owned(),
        "--webhook-url=http://user:hunter2-webhook@localhost/hunter2-path?hunter2-query".to_owned(),
    ];
    let config = Config::read(flags.into_iter().map(Into::into)).unwrap();
    assert_silent(&format!("{config:?} {config:#?}"), &[], "the configuration");
}
