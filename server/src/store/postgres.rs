//! The database of several servers.
//!
//! What is read to be changed is locked first, in one order everywhere: channels, then users, then
//! members, then messages, each by its id. So several servers write at once and never wait for each
//! other in a circle. `json` goes in and out as its text.

mod app;
mod channels;
mod columns;
mod dialect;
mod flips;
mod members;
mod messages;
mod pool;
mod source;
mod users;

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use url::Url;

use super::{Limits, Result, StoreError, migrations};
use pool::{Pool, Transaction};

/// How long a statement that writes may take.
const WRITE_TIME: Duration = Duration::from_secs(30);

const WRITING: [(&str, &str); 2] = [
    ("synchronous_commit", "on"),
    // A server that stops in the middle of a write must not hold its locks forever.
    ("idle_in_transaction_session_timeout", "10s"),
];

/// The parameters of a URL, by all their names.
const PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// Never edit one that was released: databases remember what they have run.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "init", include_str!("../../migrations/postgres/0001_init.sql")),
    (2, "untold flips", include_str!("../../migrations/postgres/0002_untold_flips.sql")),
];

/// A store in a Postgres database.
pub(super) struct PostgresStore {
    writers: Pool,
    readers: Pool,
    limits: Limits,
}

impl PostgresStore {
    /// Opens `postgres://user:password@host/name` and brings its tables up to date.
    pub(super) async fn open(url: &str, limits: Limits) -> Result<Self> {
        let options = read(url)?.application_name("rollcall");
        // Not by a pool, which would go on trying: whoever starts the server wants to know why.
        let mut connection = options.connect().await?;
        migrate(&mut connection).await?;
        connection.close().await?;
        let writers = options.clone().options(WRITING).options([statement_timeout(WRITE_TIME)]);
        let reading = [statement_timeout(limits.query_time)];
        let readers = options.options([("default_transaction_read_only", "on")]).options(reading);
        let writers = Pool::new(writers, Some(WRITE_TIME));
        let readers = Pool::new(readers, (!limits.query_time.is_zero()).then_some(limits.query_time));
        Ok(Self { writers, readers, limits })
    }

    async fn begin(&self) -> Result<Transaction> {
        Ok(self.writers.begin().await?)
    }
}

/// Reads the URL. The driver would repeat a parameter that it does not know in the log, and that may be
/// a password whose name was misspelt.
fn read(url: &str) -> Result<PgConnectOptions> {
    let mut url = Url::parse(url).map_err(StoreError::database)?;
    let pairs = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned()));
    let (known, unknown): (Vec<_>, Vec<_>) =
        pairs.partition(|(name, _)| PARAMETERS.contains(&name.as_str()) || name.starts_with("options["));
    if !unknown.is_empty() {
        for (name, _) in unknown {
            tracing::warn!(name, "--database has a parameter that is not known, and is ignored");
        }
        url.query_pairs_mut().clear().extend_pairs(known);
    }
    Ok(PgConnectOptions::from_str(url.as_str())?)
}

/// In whole milliseconds, of which 0 are no limit to Postgres as to us.
fn statement_timeout(time: Duration) -> (&'static str, String) {
    ("statement_timeout", format!("{}ms", time.as_micros().div_ceil(1000)))
}

/// Servers that start at the same time do it one after the other.
async fn migrate(connection: &mut PgConnection) -> Result<()> {
    Ok(migrations::migrator(MIGRATIONS).run(connection).await?)
}

/// A count of the database's, which has no unsigned numbers.
fn unsigned(count: i64) -> u32 {
    u32::try_from(count.max(0)).unwrap_or(u32::MAX)
}
