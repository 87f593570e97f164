//! The application's own server, which may write all users.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use reqwest::{Client, ClientBuilder};
use serde_json::{Map, Value, json};

use crate::token::{self, KEY};

/// Users that one request writes.
const BATCH: usize = 100;

pub struct Backend {
    address: SocketAddr,
    http: Client,
    token: String,
}

impl Backend {
    pub fn of(address: SocketAddr) -> Result<Self> {
        Ok(Self { address, http: client().build()?, token: token::server()? })
    }

    /// Makes these users known.
    pub async fn introduces(&self, users: usize) -> Result<()> {
        self.upserts((0..users).map(|user| (user, json!({})))).await
    }

    /// Writes of each user these fields.
    pub async fn upserts(&self, users: impl Iterator<Item = (usize, Value)> + Send) -> Result<()> {
        let users: Vec<_> = users.collect();
        for some in users.chunks(BATCH) {
            let users = some.iter().map(|(user, fields)| {
                let mut fields = fields.clone();
                fields["id"] = id(*user).into();
                (id(*user), fields)
            });
            let body = json!({ "users": users.collect::<Map<_, _>>() });
            let request = self.http.post(format!("http://{}/users", self.address)).query(&[("api_key", KEY)]);
            request.header("authorization", &self.token).json(&body).send().await?.error_for_status()?;
        }
        Ok(())
    }
}

/// What sends requests.
pub fn client() -> ClientBuilder {
    // The library for requests brings no cryptography of its own, and does not start without.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().timeout(Duration::from_secs(30))
}

pub fn id(user: usize) -> String {
    format!("user-{user}")
}

/// Which user has this id.
pub fn number(id: &str) -> Option<usize> {
    id.strip_prefix("user-")?.parse().ok()
}
