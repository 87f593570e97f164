//! The files of `--www`, at the addresses where no endpoint is.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use percent_encoding::percent_decode_str;
use tokio::fs::{canonicalize, metadata};
use tower_http::services::ServeDir;

use super::unknown;
use crate::error::ApiError;

/// A directory of files. A file is only ever read; whatever else is asked for is no endpoint. Hidden files
/// are none of it, nor is what a link leads to outside, nor what is no file, such as a pipe.
#[derive(Clone)]
pub struct Files {
    serve: ServeDir<MethodRouter>,
    root: PathBuf,
}

impl Files {
    pub fn of(directory: &Path) -> Self {
        let serve = ServeDir::new(directory).call_fallback_on_method_not_allowed(true).fallback(any(unknown));
        Self { serve, root: directory.to_owned() }
    }

    pub async fn serve(mut self, request: Request) -> Response {
        if !self.holds(request.uri().path()).await {
            return unknown().await.into_response();
        }
        match self.serve.try_call(request).await {
            Ok(response) => response.map(Body::new),
            // A name too long for the file system is the name of nothing.
            Err(error) if error.kind() == ErrorKind::InvalidFilename => unknown().await.into_response(),
            Err(error) => ApiError::internal(&error).into_response(),
        }
    }

    /// Whether there is nothing at this path that is hidden, or elsewhere, or no file.
    async fn holds(&self, path: &str) -> bool {
        let path = percent_decode_str(path).decode_utf8_lossy();
        if path.split('/').any(|name| name.starts_with('.')) {
            return false;
        }
        let named = self.root.join(path.trim_start_matches('/'));
        // For a directory its page is what is served. What is not there leads nowhere.
        for file in [named.join("index.html"), named] {
            let (Ok(file), Ok(root)) = (canonicalize(&file).await, canonicalize(&self.root).await) else {
                continue;
            };
            let Ok(inside) = file.strip_prefix(root) else {
                return false;
            };
            let is_hidden = inside.iter().any(|name| name.as_encoded_bytes().starts_with(b"."));
            let is_special = metadata(&file).await.is_ok_and(|found| !found.is_file() && !found.is_dir());
            if is_hidden || is_special {
                return false;
            }
        }
        true
    }
}
