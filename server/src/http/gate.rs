//! What every call passes before its endpoint sees it: authentication, then how often and how much at a
//! time.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rollcall_protocol::ErrorCode;

use super::call;
use super::in_flight::{InFlight, Ticket};
use super::reply::Reply;
use crate::auth::{ANONYMOUS, Authenticated, Caller, Credentials};
use crate::endpoint::{self, Endpoint};
use crate::error::ApiError;
use crate::rate_limit::Platform;
use crate::state::AppState;
use crate::store;

/// One endpoint's gate.
#[derive(Clone)]
pub struct Gate {
    pub app: AppState,
    pub in_flight: Arc<InFlight>,
    pub endpoint: Endpoint,
}

/// Middleware: lets a call through to its endpoint as an authenticated [`Caller`], or answers it.
/// Errors, of the gate and of the endpoint, say which endpoint failed.
pub async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let client = header(&parts.headers, "x-stream-client").unwrap_or_default();
    let now = store::now().as_second();
    let Authenticated { caller, issued_at } = match gate.caller(&parts).await {
        Ok(authenticated) => authenticated,
        Err(error) => {
            let mut response = error.within(gate.endpoint.name).into_response();
            // A stranger uses up nobody's allowance, but is told of it as everyone is.
            gate.app.limiter.untouched(gate.endpoint, now).write(response.headers_mut());
            return response;
        }
    };
    let user = match &caller {
        Caller::User(id) => Some(&**id),
        // Nobody in particular may make guests, of whom each would have an allowance.
        Caller::Anonymous if gate.endpoint == endpoint::CREATE_GUEST => Some(ANONYMOUS),
        Caller::Server | Caller::Anonymous => None,
    };
    let platform = Platform::of(client, caller == Caller::Server);
    let (allowance, allowed) = gate.app.limiter.take(gate.endpoint, platform, user, now);
    let mut response = match allowed.and_then(|()| gate.begin(&caller)) {
        Ok(ticket) => {
            let mut request = Request::from_parts(parts, body);
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(issued_at);
            let mut response = next.run(request).await;
            if let Some(ticket) = ticket {
                response.extensions_mut().insert(ticket);
            }
            response
        }
        Err(error) => error.into_response(),
    };
    if let Some(reply) = response.extensions_mut().remove::<Reply>() {
        response.extensions_mut().insert(reply.within(gate.endpoint.name));
    }
    allowance.write(response.headers_mut());
    response
}

impl Gate {
    /// The application's own server is trusted to read what it asks for.
    fn begin(&self, caller: &Caller) -> Result<Option<Ticket>, ApiError> {
        let user = match caller {
            Caller::User(id) => id,
            Caller::Anonymous => &ANONYMOUS.into(),
            Caller::Server => return Ok(None),
        };
        self.in_flight.begin(user).map(Some)
    }

    async fn caller(&self, parts: &Parts) -> Result<Authenticated, ApiError> {
        let query = call::query(&parts.uri)?;
        let parameter = |name| query.get(name).map(String::as_str);
        let headers = &parts.headers;
        let credentials = Credentials {
            api_key: parameter("api_key"),
            token: header(headers, "authorization").or(parameter("authorization")),
            auth_type: header(headers, "stream-auth-type").or(parameter("stream-auth-type")),
            user_id: parameter("user_id"),
        };
        self.app.authenticate(&credentials).await
    }
}

/// Middleware for all addresses: refuses headers that are too long, and those that are with their address.
pub async fn measure(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let uri = request.uri();
    let address = uri.path().len() + uri.query().map_or(0, |query| 1 + query.len());
    let most = app.config.limits.header_bytes as usize;
    if headers > most || headers + address > 2 * most {
        let message = format!(
            "the headers are {headers} bytes and the address {address}: the former may be {most}, both together twice as many"
        );
        return ApiError::new(ErrorCode::HeadersTooBig, message).into_response();
    }
    next.run(request).await
}

/// A header's value, if it is text.
pub fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
