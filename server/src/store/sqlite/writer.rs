//! The one connection that writes, lent to one transaction after the other.
//!
//! A commit waits some milliseconds for the disk. So those who wait to write at the same time
//! share a commit: each has a savepoint, undone on its own when it fails, and is told of success
//! once all are on the disk.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::pool::PoolConnection;
use sqlx::{Executor, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot};

use crate::store::{Result, StoreError};

/// Transactions that share a commit at the most: the first of them waits for the last.
const GROUP: usize = 128;

type Connection = PoolConnection<Sqlite>;

/// Lends the connection.
pub(super) struct Writer {
    pool: SqlitePool,
    turns: mpsc::UnboundedSender<oneshot::Sender<Result<Transaction>>>,
    commits: Arc<AtomicU64>,
}

/// The connection, for as long as a transaction takes. Dropped without a commit, whatever was
/// written is undone.
pub(super) struct Transaction {
    // In this order: who learns of the end must find the connection free.
    connection: OwnedMutexGuard<Connection>,
    end: oneshot::Sender<Committed>,
}

/// Takes the outcome of the commit.
type Committed = oneshot::Sender<Result<()>>;

impl Writer {
    /// Takes over the only connection of `pool`, between transactions.
    pub(super) fn new(pool: SqlitePool) -> Self {
        let (turns, waiting) = mpsc::unbounded_channel();
        let commits = Arc::default();
        tokio::spawn(lend(pool.clone(), waiting, Arc::clone(&commits)));
        Self { pool, turns, commits }
    }

    /// How many commits there were. One counts before those who share it learn of it.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    /// Waits for the connection.
    pub(super) async fn begin(&self) -> Result<Transaction> {
        let (turn, lent) = oneshot::channel();
        self.turns.send(turn).map_err(|_| closed())?;
        lent.await.map_err(|_| closed())?
    }

    /// Waits for those who are writing and lets go of the connection.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

impl Transaction {
    /// Returns once everything is on the disk.
    pub(super) async fn commit(self) -> Result<()> {
        let Self { connection, end } = self;
        drop(connection);
        let (committed, outcome) = oneshot::channel();
        end.send(committed).map_err(|_| closed())?;
        outcome.await.map_err(|_| closed())?
    }
}

impl Deref for Transaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

fn closed() -> StoreError {
    StoreError::database("it is closed")
}

async fn lend(
    pool: SqlitePool,
    mut waiting: mpsc::UnboundedReceiver<oneshot::Sender<Result<Transaction>>>,
    commits: Arc<AtomicU64>,
) {
    while let Some(first) = waiting.recv().await {
        let connection = match begin(&pool).await {
            Ok(connection) => Arc::new(Mutex::new(connection)),
            Err(error) => {
                // The others would not fare better, and would have waited for nothing. Whoever
                // asked may have stopped waiting, here and below.
                let _ = first.send(Err(error.clone()));
                while let Ok(turn) = waiting.try_recv() {
                    let _ = turn.send(Err(error.clone()));
                }
                continue;
            }
        };
        let mut group = Vec::new();
        let mut outcome = Ok(());
        let mut next = Some(first);
        while let Some(turn) = next.take() {
            outcome = take_turn(&connection, turn, &mut group).await;
            if outcome.is_ok() && group.len() < GROUP {
                next = waiting.try_recv().ok();
            }
        }
        let mut connection = connection.lock().await;
        let outcome = match outcome {
            Ok(()) => connection.execute("COMMIT").await.map(drop).map_err(StoreError::from),
            failed => failed,
        };
        if outcome.is_err() {
            // On some errors SQLite has rolled back already and finds nothing to do.
            let _ = connection.execute("ROLLBACK").await;
        }
        commits.fetch_add(1, Ordering::Release);
        for committed in group {
            let _ = committed.send(outcome.clone());
        }
    }
}

async fn begin(pool: &SqlitePool) -> Result<Connection> {
    let mut connection = pool.acquire().await?;
    // `IMMEDIATE` takes the lock now: one that is taken at the first write may be refused then.
    connection.execute("BEGIN IMMEDIATE").await?;
    Ok(connection)
}

/// Lends the connection and takes it back. An error is one of the connection's, and the end of the
/// whole group.
async fn take_turn(
    connection: &Arc<Mutex<Connection>>,
    turn: oneshot::Sender<Result<Transaction>>,
    group: &mut Vec<Committed>,
) -> Result<()> {
    let mut lent = connection.clone().lock_owned().await;
    if let Err(error) = lent.execute("SAVEPOINT turn").await {
        let error = StoreError::from(error);
        let _ = turn.send(Err(error.clone()));
        return Err(error);
    }
    let (end, ended) = oneshot::channel();
    let _ = turn.send(Ok(Transaction { connection: lent, end }));
    let committed = ended.await;
    let mut connection = connection.lock().await;
    match committed {
        Ok(committed) => {
            group.push(committed);
            connection.execute("RELEASE turn").await?;
        }
        Err(_) => {
            connection.execute("ROLLBACK TO turn").await?;
            connection.execute("RELEASE turn").await?;
        }
    }
    Ok(())
}
