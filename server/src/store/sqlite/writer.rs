//! The one connection that writes, lent to one transaction after the other.
//!
//! A commit waits some milliseconds for the disk. So those who wait to write at the same time
//! share a commit: each has a savepoint, undone on its own when it fails, and is told of success
//! once all are on the disk.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::{Executor, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot};

use super::pool::{Lent, Pool};
use crate::store::{Result, StoreError};

/// Transactions that share a commit at the most: the first of them waits for the last.
const GROUP: usize = 128;

// Each takes one way to SQLite's thread and back, which costs more than what is done there.
/// Begins the first turn of a commit.
const FIRST: &str = "BEGIN IMMEDIATE; SAVEPOINT turn";
/// Begins the turn after one that succeeded.
const NEXT: &str = "RELEASE turn; SAVEPOINT turn";
/// Begins the turn after one that failed, with its savepoint.
const INSTEAD: &str = "ROLLBACK TO turn";

type Turn = oneshot::Sender<Result<Transaction>>;
type Waiting = mpsc::UnboundedReceiver<Turn>;

/// Lends the connection.
pub(super) struct Writer {
    pool: Pool,
    turns: mpsc::UnboundedSender<Turn>,
    commits: Arc<AtomicU64>,
}

/// The connection, for as long as a transaction takes. Dropped without a commit, whatever was
/// written is undone.
pub(super) struct Transaction {
    // In this order: who learns of the end must find the connection free.
    connection: OwnedMutexGuard<Lent>,
    end: oneshot::Sender<Committed>,
    sees: Option<u64>,
}

/// Takes the outcome of the commit.
type Committed = oneshot::Sender<Result<()>>;

impl Writer {
    /// Writes by the only connection of `pool`.
    pub(super) fn new(pool: Pool) -> Self {
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
    /// After how many [`commits`](Writer::commits) it began; none after others with which it shares one.
    pub(super) fn sees(&self) -> Option<u64> {
        self.sees
    }

    /// Returns once everything is on the disk.
    pub(super) async fn commit(self) -> Result<()> {
        let Self { connection, end, .. } = self;
        drop(connection);
        let (committed, outcome) = oneshot::channel();
        end.send(committed).map_err(|_| closed())?;
        outcome.await.map_err(|_| closed())?
    }
}

impl Deref for Transaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection.connection
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection.connection
    }
}

fn closed() -> StoreError {
    sqlx::Error::PoolClosed.into()
}

/// Lends the connection to one group after the other.
async fn lend(pool: Pool, mut waiting: Waiting, commits: Arc<AtomicU64>) {
    while let Some(first) = waiting.recv().await {
        match pool.get().await {
            Ok(connection) => share_a_commit(connection, first, &mut waiting, &commits).await,
            Err(error) => refuse(first, &mut waiting, &error),
        }
    }
}

async fn share_a_commit(connection: Lent, first: Turn, waiting: &mut Waiting, commits: &AtomicU64) {
    let connection = Arc::new(Mutex::new(connection));
    let mut group: Vec<Committed> = Vec::new();
    let mut outcome = Ok(());
    let (mut turn, mut start) = (Some(first), FIRST);
    while let Some(next) = turn.take() {
        let sees = group.is_empty().then(|| commits.load(Ordering::Acquire));
        let mut lent = Arc::clone(&connection).lock_owned().await;
        if let Err(error) = sqlx::query(start).execute(&mut lent.connection).await {
            let error = StoreError::from(error);
            refuse(next, waiting, &error);
            outcome = Err(error);
            break;
        }
        let (end, ended) = oneshot::channel();
        // Whoever asked may have stopped waiting, here and below.
        let _ = next.send(Ok(Transaction { connection: lent, end, sees }));
        start = match ended.await {
            Ok(committed) => {
                group.push(committed);
                NEXT
            }
            Err(_) => INSTEAD,
        };
        if group.len() < GROUP {
            turn = waiting.try_recv().ok();
        }
    }
    let mut lent = connection.lock().await;
    if outcome.is_ok() {
        // A commit ends the savepoint as well.
        let end = if start == INSTEAD { "ROLLBACK TO turn; COMMIT" } else { "COMMIT" };
        outcome = sqlx::query(end).execute(&mut lent.connection).await.map(drop).map_err(StoreError::from);
    }
    if outcome.is_err() {
        // On some errors SQLite has rolled back already and finds nothing to do.
        let _ = lent.connection.execute("ROLLBACK").await;
    }
    drop(lent);
    commits.fetch_add(1, Ordering::Release);
    for committed in group {
        let _ = committed.send(outcome.clone());
    }
}

/// Tells this one and all who wait: they would not fare better, and would have waited for nothing.
fn refuse(turn: Turn, waiting: &mut Waiting, error: &StoreError) {
    let _ = turn.send(Err(error.clone()));
    while let Ok(turn) = waiting.try_recv() {
        let _ = turn.send(Err(error.clone()));
    }
}
