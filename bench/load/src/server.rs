//! The server under load: a process of its own on a database of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::Process;
use crate::token::{KEY, SECRET};

/// Everybody's requests together are no abuse here; one user's stay limited as by default.
const FLAGS: [&str; 4] = ["--rate-limit-scale", "0", "--log", "warn,sqlx=error"];

pub struct Server {
    binary: PathBuf,
    directory: TempDir,
    flags: Vec<String>,
    pub process: Process,
    pub address: SocketAddr,
}

impl Server {
    /// Starts it with its defaults, but for these flags.
    pub async fn start(binary: &Path, flags: &[&str]) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        // It runs elsewhere, where a relative path would lead nowhere.
        let binary = binary.canonicalize().with_context(|| format!("no server at {}", binary.display()))?;
        let flags: Vec<_> = FLAGS.iter().chain(flags).map(|flag| (*flag).to_owned()).collect();
        let (process, address) = spawn(&binary, directory.path(), "127.0.0.1:0", &flags).await?;
        Ok(Self { binary, directory, flags, process, address })
    }

    /// Kills it as a crash would, and starts it again on the same data and address.
    pub async fn crash(&mut self) -> Result<()> {
        self.process.kill().await?;
        let address = self.address.to_string();
        (self.process, self.address) = spawn(&self.binary, self.directory.path(), &address, &self.flags).await?;
        Ok(())
    }

    /// Where it keeps its data.
    pub fn database(&self) -> PathBuf {
        self.directory.path().join("rollcall.db")
    }
}

async fn spawn(binary: &Path, directory: &Path, listen: &str, flags: &[String]) -> Result<(Process, SocketAddr)> {
    let mut command = Command::new(binary);
    command.current_dir(directory).args(["--listen", listen, "--api-key", KEY, "--api-secret", SECRET]).args(flags);
    let mut process = Process::start(&mut command)?;
    let address = SocketAddr::from(([127, 0, 0, 1], process.port().await?));
    Ok((process, address))
}
