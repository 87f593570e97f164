//! What it costs a server that somebody connects, beside what it costs others. With ours a token is
//! checked, the first frame is sent, and the user is online from then on.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;

use crate::peers::{self, Programs, SOME};
use crate::process::own_cpu;

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Connections of a round
    #[arg(long, default_value_t = 500)]
    pub connections: usize,
    /// Rounds, in each of which every server has its turn
    #[arg(long, default_value_t = 6)]
    pub rounds: usize,
    #[command(flatten)]
    pub programs: Programs,
}

#[derive(Debug, Serialize)]
pub struct Report {
    /// Microseconds of the server's processor for each connection, by server, of all rounds.
    pub connect_us: BTreeMap<&'static str, Vec<f64>>,
    /// Microseconds of this program's processor for the same.
    pub generator_connect_us: f64,
    /// Processors that this program kept busy.
    pub generator_cpu: f64,
}

/// Has many connect to this server and to the others, in turns.
pub async fn run(server: &Path, options: &Options) -> Result<Report> {
    let Options { connections, rounds, .. } = *options;
    // In the first round everything is new to everybody.
    let users = connections * (rounds + 1);
    let peers = peers::start(server, &options.programs, users, false).await?;
    let mut connect_us = BTreeMap::<_, Vec<f64>>::new();
    let mut connected = Vec::new();
    let (began, own) = (Instant::now(), own_cpu()?);
    for round in 0..=rounds {
        for peer in &peers {
            let before = peer.process().cpu()?;
            let first = round * connections;
            connected.push(peers::crowd(peer, first..first + connections, SOME, &|_| Vec::new()).await?);
            if round > 0 {
                let took = (peer.process().cpu()? - before) * 1e6 / connections as f64;
                connect_us.entry(peer.name()).or_default().push(took);
            }
        }
    }
    let own = own_cpu()? - own;
    Ok(Report {
        connect_us,
        generator_connect_us: own * 1e6 / (users * peers.len()) as f64,
        generator_cpu: own / began.elapsed().as_secs_f64(),
    })
}
