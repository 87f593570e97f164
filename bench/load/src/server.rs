//! The server under load: a process of its own on a database of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::token::{KEY, SECRET};

/// Everybody's requests together are no abuse here; one user's stay limited as by default.
const FLAGS: [&str; 4] = ["--rate-limit-scale", "0", "--log", "warn"];
/// Linux counts the processor's time in hundredths of a second.
const TICKS: f64 = 100.0;

pub struct Server {
    binary: PathBuf,
    directory: TempDir,
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    pub async fn start(binary: &Path) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        // It runs elsewhere, where a relative path would lead nowhere.
        let binary = binary.canonicalize().with_context(|| format!("no server at {}", binary.display()))?;
        let (child, address) = spawn(&binary, directory.path(), "127.0.0.1:0").await?;
        Ok(Self { binary, directory, child, address })
    }

    /// Kills it as a crash would, and starts it again on the same data and address.
    pub async fn crash(&mut self) -> Result<()> {
        self.child.kill().await?;
        let address = self.address.to_string();
        (self.child, self.address) = spawn(&self.binary, self.directory.path(), &address).await?;
        Ok(())
    }

    /// Memory it holds, in bytes.
    pub fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }

    /// Seconds of a processor it has taken so far.
    pub fn cpu(&self) -> Result<f64> {
        cpu_of(&self.id()?.to_string())
    }

    fn id(&self) -> Result<u32> {
        self.child.id().context("the server has ended")
    }
}

/// Seconds of a processor this program has taken so far.
pub fn own_cpu() -> Result<f64> {
    cpu_of("self")
}

fn cpu_of(process: &str) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in brackets, may hold anything.
    let (_, fields) = stat.rsplit_once(')').context("no name in stat")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS)
}

async fn spawn(binary: &Path, directory: &Path, listen: &str) -> Result<(Child, SocketAddr)> {
    let mut child = Command::new(binary)
        .current_dir(directory)
        .args(["--listen", listen, "--api-key", KEY, "--api-secret", SECRET])
        .args(FLAGS)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{} does not start", binary.display()))?;
    let stdout = child.stdout.take().context("no stdout")?;
    let line = BufReader::new(stdout).lines().next_line().await?.context("the server ended at once")?;
    let port = line.trim_end().rsplit(':').next().unwrap_or_default();
    let port = port.parse().with_context(|| format!("no port in {line:?}"))?;
    Ok((child, SocketAddr::from(([127, 0, 0, 1], port))))
}
