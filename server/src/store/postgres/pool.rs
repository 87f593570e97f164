//! Connections whose answers have to come in time: nobody notices when the network drops what is sent, and
//! whoever waits would wait for ever.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{BoxStream, StreamExt, TryStreamExt, try_unfold};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Connection, Either, Execute, Executor, PgConnection, PgPool, Postgres, SqlStr};
use tokio::time::timeout;

/// Connections of one kind: who cannot write keeps nobody from reading.
const CONNECTIONS: u32 = 8;
/// How long a request waits for a connection before it is told to come back: SDKs give up after
/// three seconds.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a connection may take to show that it lives.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Pool {
    pool: PgPool,
    patience: Option<Duration>,
}

/// A transaction that may write. Dropped without a commit, whatever was written is undone.
#[derive(Debug)]
pub struct Transaction {
    transaction: sqlx::Transaction<'static, Postgres>,
    patience: Option<Duration>,
}

impl Pool {
    /// Postgres stops a statement after this `statement_time`, if any: later than that, no answer will come.
    pub fn new(options: PgConnectOptions, statement_time: Option<Duration>) -> Self {
        // Its own test has no end when the network drops what is sent.
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
        let pool = pool.test_before_acquire(false).before_acquire(|connection, _| Box::pin(answers(connection)));
        let pool = pool.after_release(|connection, _| Box::pin(answers(connection)));
        let patience = statement_time.map(|time| ACQUIRE_TIMEOUT + time + PING_TIMEOUT);
        Self { pool: pool.connect_lazy_with(options), patience }
    }

    pub async fn begin(&self) -> sqlx::Result<Transaction> {
        let patience = self.patience;
        Ok(Transaction { transaction: in_time(patience, self.pool.begin()).await?, patience })
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Transaction {
    pub async fn commit(self) -> sqlx::Result<()> {
        in_time(self.patience, self.transaction.commit()).await
    }
}

/// Whether there is still somebody at the other end.
async fn answers(connection: &mut PgConnection) -> sqlx::Result<bool> {
    in_time(Some(PING_TIMEOUT), connection.ping()).await.map(|()| true)
}

async fn in_time<T>(patience: Option<Duration>, answer: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    match patience {
        Some(patience) => timeout(patience, answer).await.unwrap_or_else(|late| Err(sqlx::Error::Io(late.into()))),
        None => answer.await,
    }
}

/// Each row in time after the one before.
fn rows_in_time<'e, T: Send + 'e>(
    patience: Option<Duration>,
    rows: BoxStream<'e, sqlx::Result<T>>,
) -> BoxStream<'e, sqlx::Result<T>> {
    let next = move |mut rows: BoxStream<'e, sqlx::Result<T>>| async move {
        let row = in_time(patience, rows.try_next()).await?;
        Ok(row.map(|row| (row, rows)))
    };
    try_unfold(rows, next).boxed()
}

/// Everything that is asked of what this holds is answered in time, or fails.
macro_rules! answers_in_time {
    ($asked:ty, $inner:ident => $executor:expr) => {
        impl<'c> Executor<'c> for $asked {
            type Database = Postgres;

            fn fetch_many<'e, 'q: 'e, E: 'q + Execute<'q, Postgres>>(
                self,
                query: E,
            ) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
            where
                'c: 'e,
            {
                let $inner = self;
                rows_in_time($inner.patience, $executor.fetch_many(query))
            }

            fn fetch_optional<'e, 'q: 'e, E: 'q + Execute<'q, Postgres>>(
                self,
                query: E,
            ) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
            where
                'c: 'e,
            {
                let $inner = self;
                in_time($inner.patience, $executor.fetch_optional(query)).boxed()
            }

            fn prepare_with<'e>(
                self,
                sql: SqlStr,
                parameters: &'e [PgTypeInfo],
            ) -> BoxFuture<'e, sqlx::Result<PgStatement>>
            where
                'c: 'e,
            {
                let $inner = self;
                in_time($inner.patience, $executor.prepare_with(sql, parameters)).boxed()
            }
        }
    };
}

answers_in_time!(&'c Pool, asked => (&asked.pool));
answers_in_time!(&'c mut Transaction, asked => (&mut *asked.transaction));
