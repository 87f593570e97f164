//! A real server in this process, and people who use it.
//!
//! Each server has its own free port and its own database, and ends with its test.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

pub mod binary;
pub mod document;
pub mod person;
pub mod postgres;
pub mod proxy;
pub mod redis;
pub mod scrape;

use std::future::pending;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use reqwest::{Method, StatusCode};
use rollcall_server::config::Config;
use rollcall_server::server::Server;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use person::Person;

pub const KEY: &str = "key";
pub const SECRET: &str = "a secret that only the server knows";

/// For long stories of many requests, in which nobody reads the socket.
pub const WITHOUT_LIMITS: [&str; 6] =
    ["--rate-limit-scale", "0", "--user-requests-per-minute", "0", "--idle-timeout", "1h"];

pub struct TestServer {
    pub address: SocketAddr,
    client: reqwest::Client,
    data: Option<Data>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
    flags: Vec<String>,
}

/// Where a server's data is, from start to start.
struct Data {
    url: String,
    /// Goes with the server.
    directory: TempDir,
}

impl Data {
    fn in_a_file() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", database(&directory).display());
        Self { url, directory }
    }
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    pub async fn without_dev_tokens() -> Self {
        Self::on(Data::in_a_file(), Vec::new()).await
    }

    /// A server with more flags.
    pub async fn with(flags: &[&str]) -> Self {
        let flags = flags.iter().chain(&["--dev-tokens"]).map(|flag| flag.to_string()).collect();
        Self::on(Data::in_a_file(), flags).await
    }

    /// A server on this database.
    pub async fn with_database(url: String, flags: &[&str]) -> Self {
        let flags = flags.iter().chain(&["--dev-tokens"]).map(|flag| flag.to_string()).collect();
        Self::on(Data { url, ..Data::in_a_file() }, flags).await
    }

    /// One node of several: all of them are on this database and this Redis.
    pub async fn node(database: &str, redis: &str, flags: &[&str]) -> Self {
        let flags = flags.iter().chain(&["--dev-tokens", "--redis", redis]).map(|flag| flag.to_string()).collect();
        Self::on(Data { url: database.to_owned(), ..Data::in_a_file() }, flags).await
    }

    async fn on(data: Data, flags: Vec<String>) -> Self {
        allow_requests();
        let fixed = ["rollcall-server", "--api-secret", SECRET, "--database", &data.url];
        let usual = [["--listen", "127.0.0.1:0"], ["--api-key", KEY]];
        let usual = usual.into_iter().filter(|[name, _]| !flags.iter().any(|flag| flag == name)).flatten();
        let arguments = fixed.into_iter().chain(usual);
        let config = Config::parse_from(arguments.chain(flags.iter().map(String::as_str)));
        let server = Server::bind(config).await.unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let shutdown = async {
                if stopped.await.is_err() {
                    pending().await
                }
            };
            server.run(shutdown).await;
        });
        let client = reqwest::Client::new();
        Self { address, client, data: Some(data), stop: Some(stop), running, flags }
    }

    /// Shuts the server down and starts it again on the same data.
    pub async fn restart(mut self) -> Self {
        let data = self.data.take().unwrap();
        let flags = std::mem::take(&mut self.flags);
        self.stop().await;
        Self::on(data, flags).await
    }

    /// Shuts the server down and waits for its end.
    pub async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        (&mut self.running).await.unwrap();
    }

    /// From now on the server finds no users in its database.
    pub async fn break_database(&self) {
        use sqlx::{ConnectOptions, Executor};
        let options =
            sqlx::sqlite::SqliteConnectOptions::new().filename(database(&self.data.as_ref().unwrap().directory));
        let mut connection = options.connect().await.unwrap();
        connection.execute("ALTER TABLE users RENAME TO nobody").await.unwrap();
    }

    /// The file its data is in.
    pub fn database(&self) -> PathBuf {
        database(&self.data.as_ref().unwrap().directory)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// People who are known, and not here.
    pub async fn knows(&self, ids: &[&str]) {
        let users: serde_json::Map<_, _> = ids.iter().map(|id| (id.to_string(), json!({ "id": id }))).collect();
        self.server_side(Method::POST, "/users", json!({ "users": users })).await;
    }

    /// Somebody who is connected.
    pub async fn connect(&self, user: &str) -> Person {
        Person::connect(self, json!({ "id": user })).await
    }

    /// Somebody who connects and says something about themselves.
    pub async fn connect_as(&self, details: Value) -> Person {
        Person::connect(self, details).await
    }

    /// What the application's own server asks for, and gets.
    pub async fn server_side(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, reply) = self.request(&token(json!({ "server": true })), method, path, body).await;
        assert!(status.is_success(), "{path} answered {status}: {reply}");
        reply
    }

    /// Somebody's profile, as the application's own server sees it.
    pub async fn user(&self, id: &str) -> Value {
        let query = json!({ "filter_conditions": { "id": id }, "include_deactivated_users": true }).to_string();
        let url = reqwest::Url::parse_with_params(&self.url("/users"), [("payload", query)]).unwrap();
        let path = format!("/users?{}", url.query().unwrap());
        self.server_side(Method::GET, &path, Value::Null).await["users"][0].clone()
    }

    /// Any request, and whatever comes of it.
    pub async fn request(&self, token: &str, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let mark = if path.contains('?') { '&' } else { '?' };
        let url = self.url(&format!("{path}{mark}api_key={KEY}"));
        let request = self.client.request(method, url).header("authorization", token).header("stream-auth-type", "jwt");
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }
}

/// The stories share the library for requests with the server's webhook, which brings its own
/// cryptography: without it there is no client, even for plain HTTP.
pub fn allow_requests() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.running.abort();
    }
}

fn database(directory: &TempDir) -> PathBuf {
    directory.path().join("rollcall.db")
}

/// A token signed with the application's secret.
pub fn token(claims: Value) -> String {
    signed(json!({ "alg": "HS256", "typ": "JWT" }), claims, SECRET)
}

/// A token of any making.
pub fn signed(header: Value, claims: Value, secret: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use hmac::{Hmac, KeyInit, Mac};
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{signed}.{signature}")
}

pub fn user_token(user: &str) -> String {
    token(json!({ "user_id": user }))
}
