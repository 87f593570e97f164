//! Replies: JSON objects that all carry `duration`, errors among them.

use std::time::Instant;

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::in_flight::Ticket;
use crate::error::ApiError;
use crate::rate_limit::{self, Allowance};
use crate::store;

/// What an endpoint answers: a JSON object and a status.
///
/// It becomes bytes in [`finish`], the only place that knows how long the request took.
#[derive(Clone, Debug)]
pub struct Reply {
    status: StatusCode,
    content: Result<Vec<u8>, ApiError>,
}

impl Reply {
    /// What a `GET`, `PATCH` or `DELETE` answers. `body` serialises to a JSON object.
    pub fn ok(body: &impl Serialize) -> Self {
        Self::with_status(StatusCode::OK, body)
    }

    /// What a `POST` answers. `body` serialises to a JSON object.
    pub fn created(body: &impl Serialize) -> Self {
        Self::with_status(StatusCode::CREATED, body)
    }

    /// The same reply as that of a `POST`.
    pub fn into_created(self) -> Self {
        match self.content {
            Ok(_) => Self { status: StatusCode::CREATED, ..self },
            Err(_) => self,
        }
    }

    fn with_status(status: StatusCode, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => Self { status, content: Ok(bytes) },
            Err(error) => ApiError::internal(&error).into(),
        }
    }

    /// An error says which endpoint failed; anything else stays as it is.
    pub fn within(self, endpoint: &str) -> Self {
        Self { content: self.content.map_err(|error| error.within(endpoint)), ..self }
    }

    fn into_body(self, duration: &str) -> Vec<u8> {
        let mut bytes = match self.content {
            Ok(bytes) => bytes,
            Err(error) => return error.to_json(duration).to_string().into_bytes(),
        };
        bytes.pop();
        if bytes.len() > 1 {
            bytes.push(b',');
        }
        bytes.extend_from_slice(format!(r#""duration":"{duration}"}}"#).as_bytes());
        bytes
    }
}

impl From<ApiError> for Reply {
    fn from(error: ApiError) -> Self {
        Self {
            status: StatusCode::from_u16(error.code().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            content: Err(error),
        }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        Reply::from(self).into_response()
    }
}

/// Middleware: writes the reply's body, `duration` included, and the rate limit where no endpoint
/// did.
pub async fn finish(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let mut response = next.run(request).await;
    if let Some(reply) = response.extensions_mut().remove::<Reply>() {
        let duration = format!("{:.2}ms", started.elapsed().as_secs_f64() * 1000.0);
        let mut retry_after = reply.content.as_ref().err().and_then(ApiError::retry_after);
        let body = reply.into_body(&duration);
        let body = match response.extensions_mut().remove::<Ticket>() {
            None => Ok(Bytes::from(body)),
            Some(ticket) => ticket.hold(body),
        };
        let body = body.unwrap_or_else(|error| {
            retry_after = error.retry_after();
            let reply = Reply::from(error);
            *response.status_mut() = reply.status;
            reply.into_body(&duration).into()
        });
        *response.body_mut() = Body::from(body);
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        // Somebody may have counted the body that was not there yet.
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if !Allowance::is_written(headers) {
            rate_limit::unlimited(store::now().as_second()).write(headers);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn body(reply: Reply) -> Value {
        serde_json::from_slice(&reply.into_body("1.23ms")).unwrap()
    }

    #[test]
    fn every_body_says_how_long_it_took() {
        assert_eq!(body(Reply::ok(&json!({"users": []}))), json!({"users": [], "duration": "1.23ms"}));
        assert_eq!(body(Reply::created(&json!({}))), json!({"duration": "1.23ms"}));
        assert_eq!(body(ApiError::input("no").into())["duration"], json!("1.23ms"));
    }
}
