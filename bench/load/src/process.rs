//! A program that is measured: what it has taken of the processor and of memory.

use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Killed when dropped.
pub struct Process(Child);

impl Process {
    pub fn start(command: &mut Command) -> Result<Self> {
        let name = command.as_std().get_program().to_owned();
        let child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn();
        Ok(Self(child.with_context(|| format!("{} does not start", name.display()))?))
    }

    /// The port at the end of the first line that it prints.
    pub async fn port(&mut self) -> Result<u16> {
        let stdout = self.0.stdout.take().context("no stdout")?;
        let line = BufReader::new(stdout).lines().next_line().await?.context("it ended at once")?;
        let port = line.trim_end().rsplit(':').next().unwrap_or_default();
        port.parse().with_context(|| format!("no port in {line:?}"))
    }

    pub async fn kill(&mut self) -> Result<()> {
        Ok(self.0.kill().await?)
    }

    /// Memory it holds, in bytes.
    pub fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }

    /// Seconds of a processor it has taken so far.
    pub fn cpu(&self) -> Result<f64> {
        cpu_of(self.id()?)
    }

    fn id(&self) -> Result<u32> {
        self.0.id().context("it has ended")
    }
}

/// Seconds of a processor this program has taken so far.
pub fn own_cpu() -> Result<f64> {
    cpu_of(std::process::id())
}

/// By the clock of the process, in nanoseconds; `/proc` counts hundredths of a second, too coarse for a few events.
#[cfg(target_os = "linux")]
fn cpu_of(process: u32) -> Result<f64> {
    use nix::{time::ClockId, unistd::Pid};

    let clock = ClockId::pid_cpu_clock_id(Pid::from_raw(process.try_into()?))?;
    Ok(std::time::Duration::from(clock.now()?).as_secs_f64())
}

#[cfg(not(target_os = "linux"))]
fn cpu_of(_: u32) -> Result<f64> {
    anyhow::bail!("only Linux tells what another process has taken of the processor")
}
