//! The real binary, running as a process of its own.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::{KEY, SECRET, token, user_token};

const PATIENCE: Duration = Duration::from_secs(20);

/// The binary, running.
pub struct Binary {
    pub child: Child,
    pub line: String,
    pub address: String,
}

pub fn command(directory: &Path, flags: &[&str]) -> Command {
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
    pub async fn start(directory: &Path) -> Self {
        Self::spawn(&mut command(directory, &["--listen", "127.0.0.1:0"])).await
    }

    pub async fn spawn(command: &mut Command) -> Self {
        super::allow_requests();
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("a line in time").unwrap().unwrap();
        let port = line.rsplit(':').next().unwrap();
        let address = format!("127.0.0.1:{port}");
        Self { child, line, address }
    }

    pub async fn ended(mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("an end in time").unwrap()
    }

    #[cfg(unix)]
    pub async fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args([name, &id]).status().await.unwrap().success());
    }

    pub async fn upsert(&self, user: &str, fields: Value) -> Result<StatusCode, reqwest::Error> {
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

    pub async fn users(&self, filter: Value) -> Vec<Value> {
        let payload = json!({ "filter_conditions": filter, "limit": 100, "sort": [{ "field": "id", "direction": 1 }] });
        let query = [("api_key", KEY.to_owned()), ("payload", payload.to_string())];
        let url = reqwest::Url::parse_with_params(&format!("http://{}/users", self.address), query).unwrap();
        let request = reqwest::Client::new().get(url).header("authorization", token(json!({ "server": true })));
        let reply: Value = request.send().await.unwrap().json().await.unwrap();
        reply["users"].as_array().expect("users").clone()
    }
}

pub fn hello(user: &str) -> [(&'static str, String); 2] {
    let details = json!({ "user_id": user, "user_details": { "id": user } });
    [("json", details.to_string()), ("authorization", user_token(user))]
}

pub async fn stderr_of(mut child: Child) -> (ExitStatus, String) {
    let mut text = String::new();
    let mut stderr = child.stderr.take().unwrap();
    timeout(PATIENCE, stderr.read_to_string(&mut text)).await.expect("an end in time").unwrap();
    (child.wait().await.unwrap(), text)
}
