//! Tokens, as the application that owns the secret signs them.

use anyhow::{Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};

pub const KEY: &str = "load";
pub const SECRET: &str = "a secret for one run";

pub fn user(id: &str) -> Result<String> {
    signed(json!({ "user_id": id }))
}

pub fn server() -> Result<String> {
    signed(json!({ "server": true }))
}

fn signed(claims: Value) -> Result<String> {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(json!({ "alg": "HS256", "typ": "JWT" })), part(claims));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).map_err(|error| anyhow!("{error}"))?;
    mac.update(signed.as_bytes());
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
}
