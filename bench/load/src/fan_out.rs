//! What it costs a server to tell an event to one of many who watch, beside what it costs others.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;

use crate::audience::Audience;
use crate::peers::{self, Programs, SOME};
use crate::process::own_cpu;

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Connections, all of which watch the same users
    #[arg(long, default_value_t = 1000)]
    pub watchers: usize,
    /// Users of whom something is told at once; those who watch ours take several events in a frame when it is more than one
    #[arg(long, default_value_t = 1)]
    pub at_once: usize,
    /// Events that each watcher is told in a round
    #[arg(long, default_value_t = 100)]
    pub events: usize,
    /// Rounds, in each of which every server has its turn
    #[arg(long, default_value_t = 8)]
    pub rounds: usize,
    #[command(flatten)]
    pub programs: Programs,
}

#[derive(Debug, Serialize)]
pub struct Report {
    /// Microseconds of the server's processor for each event and watcher, by server, of all rounds.
    pub event_us: BTreeMap<&'static str, Vec<f64>>,
    /// Events that came in one frame, on average.
    pub events_a_frame: BTreeMap<&'static str, f64>,
    /// Microseconds of this program's processor for the same.
    pub generator_event_us: f64,
    /// Processors that this program kept busy.
    pub generator_cpu: f64,
    /// What must not happen.
    pub problems: Vec<String>,
}

/// Users who are watched. They watch nobody: the events of one who hides wait, which is not what is measured.
const WATCHED: usize = 100;

/// Has this server and the others tell in turns.
pub async fn run(server: &Path, options: &Options) -> Result<Report> {
    let Options { watchers, at_once, .. } = *options;
    let users = watchers + WATCHED.max(at_once);
    let mut peers = peers::start(server, &options.programs, users, at_once > 1).await?;
    peers.push(peers::bare().await?);
    let watched: Vec<usize> = (watchers..users).collect();
    let (mut audiences, mut presented) = (Vec::new(), Vec::new());
    for peer in peers {
        presented.push(Audience::of(peer.clone(), peer.presents(watchers..users).await?));
        let sockets = peers::crowd(&peer, 0..watchers, SOME, &|_| watched.clone()).await?;
        audiences.push((peer.clone(), Audience::of(peer, sockets)));
    }
    for (_, audience) in &audiences {
        audience.settles().await?;
    }
    let (mut event_us, mut frames) = (BTreeMap::<_, Vec<f64>>::new(), BTreeMap::<_, usize>::new());
    let times = options.events.div_ceil(at_once);
    let events = times * at_once * watchers;
    let (began, own) = (Instant::now(), own_cpu()?);
    // In the first round everything is new to everybody.
    for round in 0..=options.rounds {
        for (peer, audience) in &audiences {
            let before = peer.process().cpu()?;
            let mut needed = 0;
            for some in watched.chunks_exact(at_once).cycle().take(times) {
                needed += audience.hears_of(some).await?;
            }
            if round > 0 {
                let took = (peer.process().cpu()? - before) * 1e6 / events as f64;
                event_us.entry(peer.name()).or_default().push(took);
                *frames.entry(peer.name()).or_default() += needed;
            }
        }
    }
    let own = own_cpu()? - own;
    let all = (events * (options.rounds + 1) * audiences.len()) as f64;
    let told = events * options.rounds;
    // Then flips overlap, or something else is told too: what is measured is not what it is called.
    let alone = |frames: usize| at_once > 1 || frames == told;
    let problems = frames.iter().filter(|&(_, frames)| !alone(*frames));
    let problems =
        problems.map(|(name, frames)| format!("{name}: {told} events came in {frames} frames, not one in each"));
    Ok(Report {
        problems: problems.collect(),
        event_us,
        events_a_frame: frames.iter().map(|(name, frames)| (*name, told as f64 / *frames as f64)).collect(),
        generator_event_us: own * 1e6 / all,
        generator_cpu: own / began.elapsed().as_secs_f64(),
    })
}
