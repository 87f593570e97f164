use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use sqlx::migrate::MigrateError;

/// Why the store did not do what it was asked. Nothing was written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// What the operation names does not exist.
    #[error("{what} {} does not exist", quoted(.ids))]
    NotFound {
        /// `"user"`, `"channel"`, …
        what: &'static str,
        ids: Vec<String>,
    },
    /// The user was deleted: only restoring brings it back.
    #[error("user {} was deleted", quoted(.ids))]
    Deleted { ids: Vec<String> },
    /// Another record has this id.
    #[error("{what} {id:?} already exists")]
    AlreadyExists { what: &'static str, id: String },
    /// The change does not fit the record.
    #[error("{id:?}: {reason}")]
    Invalid { id: String, reason: String },
    /// The query was stopped.
    #[error("the query takes too long, ask for less")]
    TooSlow,
    /// The database has a schema that this server does not know.
    #[error("it was written by a newer server, with schema {0}: run that one, or restore a backup")]
    Newer(i64),
    /// Another server holds the database.
    #[error("a server is running on {} already: stop it, or give this one another --database", .0.display())]
    InUse(PathBuf),
    /// The database cannot be reached, or has no connection left.
    #[error("the database cannot be reached: {0}")]
    Unavailable(#[source] Arc<dyn Error + Send + Sync>),
    /// The database failed: the disk is full, the file locked.
    #[error("the database failed: {0}")]
    Database(#[source] Arc<dyn Error + Send + Sync>),
}

impl StoreError {
    /// A failure of the database itself, whatever its driver calls it.
    pub fn database(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Database(cause.into().into())
    }

    pub(crate) fn not_found(what: &'static str, id: impl Into<String>) -> Self {
        let ids = vec![id.into()];
        Self::NotFound { what, ids }
    }

    pub(crate) fn invalid(id: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self::Invalid { id: id.into(), reason: reason.to_string() }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls};
        match error.as_database_error().and_then(|error| error.code()).as_deref() {
            // SQLite's SQLITE_INTERRUPT and Postgres's query_canceled.
            Some("9" | "57014") => StoreError::TooSlow,
            // Postgres is shutting down or starting, or has no connection to give.
            Some("57P01" | "57P02" | "57P03" | "53300") => StoreError::Unavailable(Arc::new(error)),
            _ if matches!(error, Io(_) | Tls(_) | PoolTimedOut | PoolClosed) => {
                StoreError::Unavailable(Arc::new(error))
            }
            _ => StoreError::database(error),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) => Self::Newer(version),
            error => Self::database(error),
        }
    }
}

fn quoted(ids: &[String]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| format!("{id:?}")).collect();
    ids.join(", ")
}
