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
mod source;
mod users;
mod writer;

use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqliteConnection, SqlitePool};

pub(super) use self::backup::backup;
use self::lock::Lock;
use self::writer::{Transaction, Writer};

use super::{Limits, Result, migrations};

const READERS: u32 = 4;
const LOOKUPS: u32 = 2;
/// As many rows as most answers have, so that SQLite's thread does not wait for ours between them.
const ROWS: usize = 1024;
/// How long to wait for another process that holds the file, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request waits for a connection before it is told that the database is too busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Steps of SQLite's machine between two looks at the clock, well under a millisecond.
const STEPS: i32 = 10_000;

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
    lookups: SqlitePool,
    readers: SqlitePool,
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
        let writer = pool(1).connect_with(options.clone()).await?;
        migrate(&mut *writer.acquire().await?).await?;
        // A second connection to a database in memory would see another, empty one.
        let (lookups, readers) = match in_memory {
            true => (writer.clone(), writer.clone()),
            false => {
                let options = options.pragma("query_only", "1");
                let readers = reader_pool(limits.query_time).connect_with(options.clone()).await?;
                (pool(LOOKUPS).connect_with(options).await?, readers)
            }
        };
        Ok(Self { writer: Writer::new(writer, in_memory), lookups, readers, limits, lock })
    }

    /// A transaction that may write.
    async fn begin(&self) -> Result<Transaction> {
        self.writer.begin().await
    }
}

fn pool(size: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // The connections are to a file: they do not wear out, and one in memory must not be lost.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// Every search comes to its connection through the pool, which starts the clock for it.
fn reader_pool(deadline: Duration) -> SqlitePoolOptions {
    if deadline.is_zero() {
        return pool(READERS);
    }
    pool(READERS).after_connect(move |connection, _| Box::pin(stop_after(connection, deadline))).before_acquire(
        move |connection, _| {
            Box::pin(async move {
                stop_after(connection, deadline).await?;
                Ok(true)
            })
        },
    )
}

async fn stop_after(connection: &mut SqliteConnection, deadline: Duration) -> sqlx::Result<()> {
    let end = Instant::now() + deadline;
    connection.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < end);
    Ok(())
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
    use crate::store::{StoreError, UserStore};

    const LONG: &str =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT max(i) FROM n";

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
    async fn without_a_limit_a_query_may_take_any_time() {
        for (deadline, stopped) in [(Duration::ZERO, false), (Duration::from_nanos(1), true)] {
            let readers = reader_pool(deadline).connect("sqlite::memory:").await.unwrap();
            let outcome = sqlx::query(LONG).fetch_one(&readers).await.map_err(StoreError::from);
            assert_eq!(matches!(outcome, Err(StoreError::TooSlow)), stopped, "{outcome:?}");
        }
    }

    #[tokio::test]
    async fn a_query_that_takes_too_long_is_stopped() {
        let readers = reader_pool(Duration::from_millis(20)).connect("sqlite::memory:").await.unwrap();
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        for _ in 0..2 {
            let stopped = sqlx::query(endless).fetch_one(&readers).await.map_err(StoreError::from);
            assert!(matches!(stopped, Err(StoreError::TooSlow)), "{stopped:?}");
            sqlx::query("SELECT 1").fetch_one(&readers).await.unwrap();
        }
    }

    #[tokio::test]
    async fn who_a_token_is_for_does_not_wait_for_those_who_search() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("store.db").display());
        let store = SqliteStore::open(&url, Limits::default()).await.unwrap();
        let mut searches = Vec::new();
        for _ in 0..READERS {
            searches.push(store.readers.acquire().await.unwrap());
        }
        assert_eq!(store.bearer("ada").await.unwrap(), (None, None));
    }
}
