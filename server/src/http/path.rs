//! The names in a request's path.

use axum::extract::{self, FromRequestParts};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::ApiError;
use crate::state::AppState;

/// [`axum`'s own](extract::Path), refusing in the protocol's words what is not UTF-8.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<AppState> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let path = extract::Path::from_request_parts(parts, state).await;
        path.map(|extract::Path(names)| Self(names)).map_err(|_| ApiError::input("the path is not URL-encoded UTF-8"))
    }
}
