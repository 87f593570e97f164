//! The embedded database.
//!
//! One connection writes and several read. SQLite has one writer at a time anyway; queueing for
//! ours costs less than being told "busy". In WAL mode readers and the writer do not wait for each
//! other, and with `synchronous=FULL` what is committed is on the disk.

mod app;
mod backup;
mod channels;
mod columns;
mod dialect;
mod flips;
mod lock;
mod members;
mod messages;
mod pool;
mod source;
mod users;
mod writer;

use std::str::FromStr;
use std::time::Duration;

use sqlx::SqliteConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

pub(super) use self::backup::backup;
use self::lock::Lock;
use self::pool::Pool;
use self::writer::{Transaction, Writer};

use super::{Limits, Result, migrations};

const READERS: usize = 4;
const LOOKUPS: usize = 2;
/// As many rows as most answers have, so that SQLite's thread does not wait for ours between them.
const ROWS: usize = 1024;
/// How long to wait for another process that holds the file, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Never edit one that was released: databases remember what they have run.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "init", include_str!("../../migrations/sqlite/0001_init.sql")),
    (2, "online", include_str!("../../migrations/sqlite/0002_online.sql")),
    (3, "untold flips", include_str!("../../migrations/sqlite/0003_untold_flips.sql")),
];

/// A store in one file.
pub(super) struct SqliteStore {
    writer: Writer,
    /// For what is found by its key alone, which takes no time that need be limited: who a token is for
    /// does not wait for what others search.
    lookups: Pool,
    readers: Pool,
    limits: Limits,
    /// None of a database in memory.
    lock: Option<Lock>,
}

impl SqliteStore {
    /// Opens `sqlite://path`, or `sqlite::memory:`, and brings its tables up to date. The file is
    /// made when it is not there.
    pub(super) async fn open(url: &str, limits: Limits) -> Result<Self> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .row_buffer_size(ROWS)
            .optimize_on_close(true, None);
        let in_memory = url.contains(":memory:") || url.contains("mode=memory");
        let lock = if in_memory { None } else { Some(Lock::take(options.get_filename()).await?) };
        let writer = Pool::open(&options, 1, None).await?;
        migrate(&mut writer.get().await?.connection).await?;
        // A second connection to a database in memory would see another, empty one.
        let (lookups, readers) = match in_memory {
            true => (writer.clone(), writer.clone()),
            false => {
                let options = options.pragma("query_only", "1");
                let limit = Some(limits.query_time).filter(|limit| !limit.is_zero());
                (Pool::open(&options, LOOKUPS, None).await?, Pool::open(&options, READERS, limit).await?)
            }
        };
        Ok(Self { writer: Writer::new(writer), lookups, readers, limits, lock })
    }

    /// A transaction that may write.
    async fn begin(&self) -> Result<Transaction> {
        self.writer.begin().await
    }
}

async fn migrate(connection: &mut SqliteConnection) -> Result<()> {
    Ok(migrations::migrator(MIGRATIONS).run(connection).await?)
}

/// A list of texts as one bound parameter, for `IN (SELECT value FROM json_each(?))`: the
/// statement stays the same however long the list is.
fn json_list(texts: &[String]) -> String {
    serde_json::Value::from(texts).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::UserStore;

    /// A kill does not show what a power cut would lose, so the settings are looked at.
    #[tokio::test]
    async fn what_is_committed_is_on_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("rollcall.db").display());
        let store = SqliteStore::open(&url, Limits::default()).await.unwrap();
        let mut writer = store.writer.begin().await.unwrap();
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *writer).await.unwrap();
        let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *writer).await.unwrap();
        // 2 is FULL.
        assert_eq!((journal.as_str(), synchronous), ("wal", 2));
    }

    #[tokio::test]
    async fn who_a_token_is_for_does_not_wait_for_those_who_search() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("store.db").display());
        let store = SqliteStore::open(&url, Limits::default()).await.unwrap();
        let mut searches = Vec::new();
        for _ in 0..READERS {
            searches.push(store.readers.get().await.unwrap());
        }
        assert_eq!(store.bearer("ada").await.unwrap(), (None, None));
    }
}
