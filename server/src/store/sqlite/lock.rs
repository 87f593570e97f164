//! One server for one file. Two of them would each keep a registry of its own, and write over what
//! the other says of who is online.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use crate::store::{Result, StoreError};

/// Held from the opening of a database until this is dropped, or the process ends, however it does.
///
/// It is a file beside the database, which stays there: SQLite's own locks are on the database, and
/// the system drops a process's locks of that kind when any handle of the file is closed.
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// For the database in this file, which need not be there yet.
    pub(super) fn take(database: &Path) -> Result<Self> {
        // Whatever links lead to it, it is one database.
        let database = fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
        let mut path = database.clone().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|cause| StoreError::database(format!("{}: {cause}", path.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(database)),
            Err(TryLockError::Error(cause)) => Err(StoreError::database(format!("{}: {cause}", path.display()))),
        }
    }

    /// Lets another server have the database.
    pub(super) fn release(&self) {
        // What cannot be unlocked is when the file is closed.
        let _ = self.file.unlock();
    }
}
