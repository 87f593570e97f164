//! One attempt to deliver: a signed `POST`, and what its answer means.

use std::time::Duration;

use axum::http::StatusCode;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Url};
use sha2::Sha256;

use super::WebhookError;
use super::queue::Delivery;

/// HMAC-SHA256 of the body under the API secret, in lowercase hexadecimal.
const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// The same for all attempts of one delivery: what was seen before can be skipped.
const ID: HeaderName = HeaderName::from_static("x-webhook-id");
/// Counts from 1; from 1 again after a restart.
const ATTEMPT: HeaderName = HeaderName::from_static("x-webhook-attempt");

/// How long the application has to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct Sender {
    client: Client,
    url: Url,
    api_key: HeaderValue,
    key: Hmac<Sha256>,
}

/// Whether there is any use in trying the same again.
pub(super) enum Failure {
    Passing(String),
    Lasting(StatusCode),
}

impl Sender {
    pub fn new(url: &Url, api_key: &str, secret: &str) -> Result<Self, WebhookError> {
        // Fails only when there is one already, which will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            client: Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build()?,
            url: url.clone(),
            api_key: HeaderValue::try_from(api_key).map_err(|_| WebhookError::ApiKey)?,
            key: Hmac::<Sha256>::new_from_slice(secret.as_bytes())?,
        })
    }

    pub async fn send(&self, delivery: &Delivery) -> Result<(), Failure> {
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(API_KEY, &self.api_key)
            .header(SIGNATURE, self.sign(&delivery.body))
            .header(ID, &delivery.flip.id)
            .header(ATTEMPT, delivery.attempt)
            .body(delivery.body.clone());
        // The URL may hold a password.
        let reply = request.send().await.map_err(|error| Failure::Passing(error.without_url().to_string()))?;
        match reply.status() {
            status if status.is_success() => Ok(()),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                Err(Failure::Passing(reply.status().to_string()))
            }
            status if status.is_client_error() => Err(Failure::Lasting(status)),
            status => Err(Failure::Passing(status.to_string())),
        }
    }

    fn sign(&self, body: &str) -> String {
        let mut key = self.key.clone();
        key.update(body.as_bytes());
        key.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
