//! Connections that are lent to one question after the other.
//!
//! Each has a thread of its own, and the way there and back is dearer than most of what is asked. So
//! nothing is asked for the pool's own sake, unless somebody stopped waiting for an answer: only then
//! is a connection perhaps still busy when it comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::unmanaged::{self, Object, PoolConfig, PoolError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{ConnectOptions, Connection, Execute, Executor, Sqlite};

use crate::store::{Result, StoreError};

/// How long a request waits for a connection before it is told that the database is too busy.
const PATIENCE: Duration = Duration::from_secs(10);
/// Steps of SQLite's machine between two looks at the clock, well under a millisecond.
const STEPS: i32 = 10_000;

/// Connections. Clones share them.
#[derive(Clone)]
pub(super) struct Pool {
    idle: unmanaged::Pool<Worker>,
    size: usize,
}

/// A connection of a pool. It goes back when this is dropped.
pub(super) type Lent = Object<Worker>;

pub(super) struct Worker {
    pub(super) connection: SqliteConnection,
    clock: Option<Clock>,
    /// Nobody has read the answer to the last question.
    asked: bool,
}

/// Stops a question that takes too long.
#[derive(Clone)]
struct Clock {
    limit: Duration,
    origin: Instant,
    /// Nanoseconds after the origin.
    end: Arc<AtomicU64>,
}

impl Pool {
    /// Opens so many connections, of which each may take as long as `limit` over a question.
    pub(super) async fn open(options: &SqliteConnectOptions, size: usize, limit: Option<Duration>) -> Result<Self> {
        let config = PoolConfig { max_size: size, timeout: Some(PATIENCE), runtime: Some(Runtime::Tokio1) };
        let idle = unmanaged::Pool::from_config(&config);
        for _ in 0..size {
            let mut connection = options.connect().await?;
            let clock = limit.map(Clock::new);
            if let Some(clock) = clock.clone() {
                connection.lock_handle().await?.set_progress_handler(STEPS, move || clock.is_running());
            }
            let worker = Worker { connection, clock, asked: false };
            idle.add(worker).await.map_err(|(_, error)| unavailable(error))?;
        }
        Ok(Self { idle, size })
    }

    /// Waits for a connection: of those that are idle the one that was used last, which has the most in its cache.
    pub(super) async fn get(&self) -> Result<Lent> {
        loop {
            let lent = self.idle.get().await.map_err(unavailable)?;
            if !lent.asked {
                return Ok(lent);
            }
            tokio::spawn(settles(lent));
        }
    }

    /// All rows of the answer.
    pub(super) async fn all<'q>(&self, question: impl Execute<'q, Sqlite> + 'q) -> Result<Vec<SqliteRow>> {
        let mut lent = self.get().await?;
        let answer = lent.asks().fetch_all(question).await;
        lent.asked = answer.is_err();
        Ok(answer?)
    }

    /// The first row of the answer, if it has any.
    pub(super) async fn first<'q>(&self, question: impl Execute<'q, Sqlite> + 'q) -> Result<Option<SqliteRow>> {
        let mut lent = self.get().await?;
        let answer = lent.asks().fetch_optional(question).await;
        lent.asked = answer.is_err();
        Ok(answer?)
    }

    /// The one row of the answer.
    pub(super) async fn one<'q>(&self, question: impl Execute<'q, Sqlite> + 'q) -> Result<SqliteRow> {
        Ok(self.first(question).await?.ok_or(sqlx::Error::RowNotFound)?)
    }

    /// Waits for those who ask, and closes the connections.
    pub(super) async fn close(&self) {
        for _ in 0..self.size {
            // None is left of a pool that is closed already, by whoever shares it.
            let Ok(Worker { connection, .. }) = self.idle.remove().await else { break };
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "a connection to the database does not close");
            }
        }
        self.idle.close();
    }
}

/// Waits until it is idle again; one that fails is not used any more.
async fn settles(mut lent: Lent) {
    match lent.connection.ping().await {
        Ok(()) => lent.asked = false,
        Err(error) => {
            tracing::error!(%error, "a connection to the database is lost");
            drop(Object::take(lent));
        }
    }
}

fn unavailable(error: PoolError) -> StoreError {
    match error {
        PoolError::Timeout => sqlx::Error::PoolTimedOut.into(),
        PoolError::Closed => sqlx::Error::PoolClosed.into(),
        PoolError::NoRuntimeSpecified => StoreError::database(error),
    }
}

impl Worker {
    fn asks(&mut self) -> &mut SqliteConnection {
        self.asked = true;
        if let Some(clock) = &self.clock {
            clock.start();
        }
        &mut self.connection
    }
}

impl Clock {
    fn new(limit: Duration) -> Self {
        Self { limit, origin: Instant::now(), end: Arc::default() }
    }

    fn start(&self) {
        self.end.store(nanoseconds(self.origin.elapsed() + self.limit), Relaxed);
    }

    fn is_running(&self) -> bool {
        nanoseconds(self.origin.elapsed()) < self.end.load(Relaxed)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use futures_util::FutureExt;
    use sqlx::Row;

    use super::*;

    const LONG: &str =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT max(i) FROM n";
    const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

    async fn pool(size: usize, limit: Option<Duration>) -> Pool {
        let options = SqliteConnectOptions::from_str("sqlite::memory:").unwrap();
        Pool::open(&options, size, limit).await.unwrap()
    }

    #[tokio::test]
    async fn without_a_limit_a_question_may_take_any_time() {
        for (limit, stopped) in [(None, false), (Some(Duration::from_nanos(1)), true)] {
            let outcome = pool(1, limit).await.first(sqlx::query(LONG)).await;
            assert_eq!(matches!(outcome, Err(StoreError::TooSlow)), stopped, "{:?}", outcome.err());
        }
    }

    #[tokio::test]
    async fn a_question_that_takes_too_long_is_stopped() {
        let pool = pool(1, Some(Duration::from_millis(20))).await;
        for _ in 0..2 {
            let stopped = pool.first(sqlx::query(ENDLESS)).await;
            assert!(matches!(stopped, Err(StoreError::TooSlow)), "{:?}", stopped.err());
            pool.first(sqlx::query("SELECT 1")).await.unwrap();
        }
    }

    #[tokio::test]
    async fn who_stops_waiting_for_an_answer_holds_up_nobody_else() {
        // Of the first one nothing comes within the life of this test.
        let pool = pool(2, Some(Duration::from_secs(3_600))).await;
        assert!(pool.first(sqlx::query(ENDLESS)).now_or_never().is_none());
        for number in 0..4_i64 {
            let row = pool.first(sqlx::query("SELECT ?").bind(number)).await.unwrap();
            assert_eq!(row.map(|row| row.get::<i64, _>(0)), Some(number));
        }
    }

    #[tokio::test]
    async fn whom_nobody_waited_for_is_used_again_once_it_is_idle() {
        let pool = pool(1, Some(Duration::from_millis(20))).await;
        assert!(pool.first(sqlx::query(ENDLESS)).now_or_never().is_none());
        pool.first(sqlx::query("SELECT 1")).await.unwrap();
        pool.close().await;
        assert!(matches!(pool.get().await, Err(StoreError::Unavailable(_))));
    }
}
