//! What browsers ask before they let a page of another origin call us.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Pages of the `allowed` origins may call, those of any origin if none is named, without
/// cookies: tokens alone say who a caller is. The headers are named one by one because `*` never
/// covers `Authorization`.
pub fn layer(allowed: &[HeaderValue]) -> CorsLayer {
    let origins = match allowed {
        [] => AllowOrigin::any(),
        allowed => AllowOrigin::list(allowed.iter().cloned()),
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("stream-auth-type"),
            HeaderName::from_static("x-stream-client"),
            HeaderName::from_static("x-client-request-id"),
        ])
        .expose_headers([
            header::RETRY_AFTER,
            HeaderName::from_static("x-ratelimit-limit"),
            HeaderName::from_static("x-ratelimit-remaining"),
            HeaderName::from_static("x-ratelimit-reset"),
        ])
        .max_age(Duration::from_secs(24 * 60 * 60))
}
