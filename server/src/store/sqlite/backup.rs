use std::path::Path;
use std::str::FromStr;

use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::BUSY_TIMEOUT;
use crate::store::{Result, StoreError};

/// Copies what one reader sees; writers go on meanwhile. SQLite refuses a file that is there.
pub(in crate::store) async fn backup(url: &str, to: &Path) -> Result<()> {
    let options = SqliteConnectOptions::from_str(url)?.busy_timeout(BUSY_TIMEOUT);
    let opened = SqliteConnection::connect_with(&options).await;
    let unopened = |error| StoreError::database(format!("{}: {error}", options.get_filename().display()));
    let mut connection = opened.map_err(unopened)?;
    let was_there = to.exists();
    let copied = sqlx::query("VACUUM INTO ?").bind(to.to_string_lossy()).execute(&mut connection).await;
    if copied.is_err() && !was_there {
        // Half a copy looks like one, and is in the way of the next.
        let _ = std::fs::remove_file(to);
    }
    copied?;
    connection.close().await?;
    // SQLite leaves it to the system when the copy reaches the disk.
    let copy = std::fs::File::open(to).map_err(StoreError::database)?;
    copy.sync_all().map_err(StoreError::database)
}
