//! One server for one file. Two of them would each keep a registry of its own, and write over what
//! the other says of who is online.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::store::{Result, StoreError};

/// Whoever was killed takes a moment to die.
const PATIENCE: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_millis(20);

/// Held from the opening of a database until this is dropped, or the process ends, however it does.
///
/// It is a file beside the database, which stays there: SQLite's own locks are on the database, and
/// the system drops a process's locks of that kind when any handle of the file is closed.
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// For the database in this file, which need not be there yet.
    pub(super) async fn take(database: &Path) -> Result<Self> {
        // Whatever links lead to it, it is one database; a link to nothing leads to one that it makes. That it
        // cannot be made SQLite says better.
        let _ = File::options().create(true).append(true).open(database);
        let database = fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
        let mut path = database.clone().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|cause| StoreError::database(format!("{}: {cause}", path.display())))?;
        let given_up = Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { file }),
                Err(TryLockError::WouldBlock) if Instant::now() < given_up => sleep(AGAIN).await,
                Err(TryLockError::WouldBlock) => return Err(StoreError::InUse(database)),
                Err(TryLockError::Error(cause)) => {
                    return Err(StoreError::database(format!("{}: {cause}", path.display())));
                }
            }
        }
    }

    /// Lets another server have the database.
    pub(super) fn release(&self) {
        // What cannot be unlocked is when the file is closed.
        let _ = self.file.unlock();
    }
}
