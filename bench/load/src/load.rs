//! Load: a crowd that watches each other while some flip, some come and go, and some do not read.
//! Measured are the time from flip to delivery, memory, the processor, and whether anything was lost.

use std::collections::BTreeMap;
use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use futures_util::future::join_all;
use serde::Serialize;
use tokio::sync::watch::{self, Receiver};
use tokio::time::{Instant, interval_at, sleep, sleep_until};

use crate::crowd::{Crowd, Durations, Scale};
use crate::health::{Health, Probe};
use crate::member::{Member, set_invisible};
use crate::nodes::{Nodes, in_all};
use crate::process::{Process, own_cpu};
use crate::server::Server;

/// How long one who comes and goes, or hides and shows, stays so: five departures a minute, half
/// of what the server tells before it takes a user for one who flaps.
const STAY: Duration = Duration::from_secs(6);
/// How long everybody may take to arrive.
pub const GATHERING: Duration = Duration::from_secs(600);
/// How long after the last flip everybody may take to see what is true.
pub const SETTLING: Duration = Duration::from_secs(30);
/// The close of one who is silent for too long. So it is for readers that stall: what the system
/// itself keeps for them takes minutes to fill at this rate, and only then would their queue.
const SILENT: u16 = 4000;
/// Memory that may come on top over a whole run, and still be called flat.
const GROWTH: f64 = 1.05;

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    pub scale: Scale,
    #[command(flatten)]
    pub nodes: Nodes,
    /// Flips a second: half by coming and going, half by hiding and showing
    #[arg(long, default_value_t = 500)]
    pub flips: usize,
    /// How long
    #[arg(long = "for", default_value = "5m", value_parser = humantime::parse_duration)]
    pub duration: Duration,
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Phase {
    /// Everybody arrives.
    Gathering,
    Flipping,
    Over,
}

type Phases = Receiver<Phase>;

#[derive(Debug, Serialize)]
pub struct Report {
    pub nodes: usize,
    pub connections: usize,
    pub watches: usize,
    pub seconds: f64,
    pub flips_per_second: f64,
    pub delivery: Durations,
    pub connect: Durations,
    pub settled_ms: Option<u64>,
    /// Of a processor's time, for each to connect, to subscribe and to be told how things are.
    pub arrival_cpu_us: f64,
    /// Processors that all nodes kept busy while users flip.
    pub server_cpu: f64,
    pub generator_cpu: f64,
    pub memory_first_mib: f64,
    pub memory_last_mib: f64,
    pub health: Health,
    /// What may happen: clients that tried again, readers that were closed.
    pub counts: BTreeMap<String, u64>,
    /// What must not.
    pub problems: Vec<String>,
}

/// Runs this scenario against this binary of the server.
pub async fn run(server: &Path, options: &Options) -> Result<Report> {
    let Scale { connections, watches, .. } = options.scale;
    // As many leave in a second as come, and each does one of them every `STAY`.
    let pool = (options.flips / 2) * STAY.as_secs() as usize;
    let stalled = (connections / 100).max(1);
    ensure!(2 * pool + stalled <= connections, "so many flips need more connections");
    let servers = options.nodes.start(server).await?;
    let addresses = servers.iter().map(|server| server.address).collect();
    let crowd = Arc::new(Crowd::gather(addresses, &options.scale).await?);
    eprintln!("{} users are known", connections);
    let idle = in_all(&servers, Process::cpu)?;
    let (phase, phases) = watch::channel(Phase::Gathering);
    let (mut flipping, mut stalling) = (Vec::new(), Vec::new());
    for number in 0..connections {
        crowd.flips(number, true);
        let (crowd, phases) = (crowd.clone(), phases.clone());
        let offset = STAY.mul_f64((number % pool.max(1)) as f64 / pool.max(1) as f64);
        if number < pool {
            flipping.push(tokio::spawn(comes_and_goes(crowd, number, offset, phases)));
        } else if number < 2 * pool {
            flipping.push(tokio::spawn(hides_and_shows(crowd.clone(), number, offset, phases)));
            tokio::spawn(stays(crowd, number));
        } else if number < 2 * pool + stalled {
            stalling.push(tokio::spawn(stalls(crowd, number, phases)));
        } else {
            tokio::spawn(stays(crowd, number));
        }
    }
    if let Err(wrong) = crowd.all_right(GATHERING).await {
        bail!("{wrong} watches are wrong before it has begun: {:?} {:?}", crowd.counted(), crowd.errors());
    }
    eprintln!("{} are connected and watch", connections);
    let arrival = (in_all(&servers, Process::cpu)? - idle) / connections as f64;

    crowd.starts_measuring((pool..2 * pool).chain(2 * pool + stalled..connections));
    phase.send(Phase::Flipping)?;
    let began = Instant::now();
    let probe = Probe::start(crowd.node_of(0));
    let cpu = (in_all(&servers, Process::cpu)?, own_cpu()?);
    let memory = memory_until(&servers, began + options.duration).await?;
    let seconds = began.elapsed().as_secs_f64();
    let cpu = (in_all(&servers, Process::cpu)? - cpu.0, own_cpu()? - cpu.1);
    // Those who stalled do not count any more.
    let (delivery, connect) = (crowd.delivery(), crowd.connect());
    phase.send(Phase::Over)?;
    let flips = join_all(flipping).await.into_iter().sum::<Result<u64, _>>()?;
    join_all(stalling).await.into_iter().collect::<Result<(), _>>()?;
    let settled = crowd.all_right(SETTLING).await;
    let health = probe.stop()?;

    let (first, last) = first_and_last(&memory);
    let mut problems = crowd.problems();
    if let Err(wrong) = settled {
        problems.push(format!("{wrong} watches do not show what is true"));
    }
    if last > first * GROWTH {
        problems.push(format!("memory grew from {first:.0} to {last:.0} MiB"));
    }
    if health.failures > 0 {
        problems.push(format!("/healthz failed {} times", health.failures));
    }
    Ok(Report {
        nodes: servers.len(),
        connections,
        watches,
        seconds,
        flips_per_second: flips as f64 / seconds,
        delivery,
        connect,
        settled_ms: settled.ok().map(|took| took.as_millis() as u64),
        arrival_cpu_us: arrival * 1e6,
        server_cpu: cpu.0 / seconds,
        generator_cpu: cpu.1 / seconds,
        memory_first_mib: first,
        memory_last_mib: last,
        health,
        counts: crowd.counted(),
        problems,
    })
}

/// Reads until `end`. A connection that ends before that is an error, and is made anew.
async fn reads_until<T>(member: &mut Member, end: impl Future<Output = T>) -> T {
    tokio::pin!(end);
    loop {
        tokio::select! {
            ended = &mut end => return ended,
            code = member.listens() => {
                member.crowd().errs(format!("a reader was closed with {code:?}"));
                *member = Member::returns(&member.crowd(), member.number()).await;
            }
        }
    }
}

/// Connects, watches and reads, for as long as it is let.
pub async fn stays(crowd: Arc<Crowd>, number: usize) {
    reads_until(&mut Member::arrives(&crowd, number).await, pending()).await
}

/// Does not read while others flip. Then it finds out how the server let go of it, and comes back.
async fn stalls(crowd: Arc<Crowd>, number: usize, mut phases: Phases) {
    let mut member = Member::arrives(&crowd, number).await;
    reads_until(&mut member, reached(&mut phases, Phase::Flipping)).await;
    reached(&mut phases, Phase::Over).await;
    match member.last_words().await {
        Some(SILENT) => crowd.counts(format!("a stalled reader was closed with {SILENT}")),
        other => crowd.errs(format!("a stalled reader was closed with {other:?}")),
    }
    tokio::spawn(async move {
        let mut member = Member::returns(&crowd, number).await;
        reads_until(&mut member, pending::<()>()).await;
    });
}

/// Says goodbye, stays away, comes back, stays. Returns its flips.
async fn comes_and_goes(crowd: Arc<Crowd>, number: usize, offset: Duration, mut phases: Phases) -> u64 {
    let mut member = Member::arrives(&crowd, number).await;
    reads_until(&mut member, reached(&mut phases, Phase::Flipping)).await;
    let mut at = Instant::now() + offset;
    let mut flips = 0;
    loop {
        let over = reads_until(&mut member, async {
            tokio::select! {
                () = sleep_until(at) => false,
                () = reached(&mut phases, Phase::Over) => true,
            }
        });
        if over.await {
            tokio::spawn(async move { reads_until(&mut member, pending::<()>()).await });
            return flips;
        }
        crowd.flips(number, false);
        member.leaves().await;
        sleep_until(at + STAY).await;
        crowd.flips(number, true);
        member = Member::arrives(&crowd, number).await;
        flips += 2;
        at = (at + 2 * STAY).max(Instant::now());
    }
}

/// Turns invisible and visible again. Returns its flips.
async fn hides_and_shows(crowd: Arc<Crowd>, number: usize, offset: Duration, mut phases: Phases) -> u64 {
    reached(&mut phases, Phase::Flipping).await;
    let mut turns = interval_at(Instant::now() + offset, STAY);
    let mut flips = 0;
    loop {
        tokio::select! {
            _ = turns.tick() => {}
            () = reached(&mut phases, Phase::Over) => return flips,
        }
        let hide = flips % 2 == 0;
        crowd.flips(number, !hide);
        if let Err(error) = set_invisible(&crowd, number, hide).await {
            crowd.errs(format!("an upsert failed: {error}"));
        }
        flips += 1;
    }
}

async fn reached(phases: &mut Phases, phase: Phase) {
    // Without a scenario there is no next phase.
    let _ = phases.wait_for(|now| *now >= phase).await;
}

/// What the servers hold, in MiB, every second until then.
async fn memory_until(servers: &[Server], end: Instant) -> Result<Vec<f64>> {
    let mut samples = Vec::new();
    while Instant::now() < end {
        sleep(Duration::from_secs(1).min(end - Instant::now())).await;
        samples.push(in_all(servers, Process::memory)? as f64 / f64::from(1 << 20));
        if samples.len().is_multiple_of(30) {
            eprintln!("{} s: {:.0} MiB", samples.len(), samples.last().unwrap_or(&0.0));
        }
    }
    Ok(samples)
}

/// The mean of the first minute and of the last, the tenth that warms up left out; of thirds, if it was short.
fn first_and_last(samples: &[f64]) -> (f64, f64) {
    let warm = &samples[samples.len() / 10..];
    let length = (warm.len() / 3).clamp(1, 60).min(warm.len());
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
    (mean(&warm[..length]), mean(&warm[warm.len() - length..]))
}
