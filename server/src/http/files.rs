//! The files of `--www`, at the addresses where no endpoint is.

use std::io::ErrorKind;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use tower_http::services::ServeDir;

use super::unknown;
use crate::error::ApiError;

/// A directory of files. A file is only ever read; whatever else is asked for is no endpoint.
#[derive(Clone)]
pub struct Files(ServeDir<MethodRouter>);

impl Files {
    pub fn of(directory: &std::path::Path) -> Self {
        Self(ServeDir::new(directory).call_fallback_on_method_not_allowed(true).fallback(any(unknown)))
    }

    pub async fn serve(mut self, request: Request) -> Response {
        match self.0.try_call(request).await {
            Ok(response) => response.map(Body::new),
            // A name too long for the file system is the name of nothing.
            Err(error) if error.kind() == ErrorKind::InvalidFilename => unknown().await.into_response(),
            Err(error) => ApiError::internal(&error).into_response(),
        }
    }
}
