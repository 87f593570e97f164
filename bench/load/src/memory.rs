//! What a connection costs a server in memory while nothing happens, beside what it costs others.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use tokio::time::sleep;

use crate::audience::Audience;
use crate::peers::{self, Programs};

/// So many arrive together: what a server needs for arrivals does not all go back when they are there.
const AT_ONCE: usize = 2_000;
/// How long nothing happens before memory is looked at.
const IDLE: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// How many are connected each time memory is looked at, ascending
    #[arg(long, value_delimiter = ',', default_value = "100,1000,5000,10000,15000")]
    pub connections: Vec<usize>,
    /// Users each of them watches
    #[arg(long, default_value_t = 50)]
    pub watches: usize,
    #[command(flatten)]
    pub programs: Programs,
}

/// Of each server.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Kibibytes for each connection, of the most.
    pub connection_kib: BTreeMap<&'static str, f64>,
    /// Mebibytes of its process by connections; those of none come first.
    pub memory_mib: BTreeMap<&'static str, Vec<(usize, f64)>>,
}

/// Has as many connect to this server as to each of the others.
pub async fn run(server: &Path, options: &Options) -> Result<Report> {
    let Options { connections, watches, .. } = options;
    let most = *connections.last().context("how many are to be connected?")?;
    ensure!(*watches < most, "each can watch at most all others");
    // Evenly spread, so that everybody is watched by as many.
    let watched = |user: usize| (0..*watches).map(|place| (user + 1 + place * (most / watches)) % most).collect();
    let (mut connection_kib, mut memory_mib) = (BTreeMap::new(), BTreeMap::new());
    for peer in peers::start(server, &options.programs, most, false).await? {
        let before = peer.process().memory()?;
        let mut steps = vec![(0, mebibytes(before))];
        let (mut audiences, mut there) = (Vec::new(), 0);
        for &size in connections {
            audiences.push(Audience::of(peer.clone(), peers::crowd(&peer, there..size, AT_ONCE, &watched).await?));
            there = size;
            sleep(IDLE).await;
            steps.push((size, mebibytes(peer.process().memory()?)));
        }
        ensure!(audiences.iter_mut().all(Audience::is_whole), "{} closed a connection", peer.name());
        let grown = peer.process().memory()?.saturating_sub(before);
        connection_kib.insert(peer.name(), grown as f64 / 1024.0 / most as f64);
        memory_mib.insert(peer.name(), steps);
    }
    Ok(Report { connection_kib, memory_mib })
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
