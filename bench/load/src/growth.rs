//! How a server grows: what it takes to tell of flips, for so many connections. Each
//! watches as many others, so that every flip is told as many times, however many there are.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::backend::Backend;
use crate::crowd::{Crowd, Durations, Scale};
use crate::load::{GATHERING, SETTLING, stays};
use crate::process::own_cpu;
use crate::server::Server;

/// Here the same few come and go all the time.
const FLAGS: [&str; 2] = ["--flaps-per-minute", "0"];

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    pub scale: Scale,
    /// Flips a second, of people who hide and show themselves
    #[arg(long, default_value_t = 200)]
    pub flips: usize,
    /// How long they flip
    #[arg(long = "for", default_value = "6s", value_parser = humantime::parse_duration)]
    pub duration: Duration,
}

#[derive(Debug, Serialize)]
pub struct Report {
    pub connections: usize,
    pub watches: usize,
    /// Microseconds of the server's processor for each to connect, to subscribe and to be told how things are.
    pub arrival_us: f64,
    pub flips_per_second: f64,
    pub delivery: Durations,
    /// Microseconds of the server's processor for each event and watcher; what made the flip, a request, is part of it.
    pub event_us: f64,
    /// Processors that this program kept busy while they flipped.
    pub generator_cpu: f64,
    /// What must not happen.
    pub problems: Vec<String>,
}

pub async fn run(server: &Path, options: &Options) -> Result<Report> {
    let Options { scale, flips, duration } = *options;
    let server = Server::start(server, &FLAGS).await?;
    let crowd = Arc::new(Crowd::gather(vec![server.address], &scale).await?);
    let cpu = server.process.cpu()?;
    for user in 0..scale.connections {
        crowd.flips(user, true);
        tokio::spawn(stays(crowd.clone(), user));
    }
    if let Err(wrong) = crowd.all_right(GATHERING).await {
        bail!("{wrong} watches are wrong before it has begun: {:?} {:?}", crowd.counted(), crowd.errors());
    }
    let arrivals = server.process.cpu()? - cpu;

    crowd.starts_measuring(0..crowd.size);
    let (cpu, own) = (server.process.cpu()?, own_cpu()?);
    let flipped = flip(&crowd, flips, duration).await?;
    let settled = crowd.all_right(SETTLING).await;
    let (cpu, own) = (server.process.cpu()? - cpu, own_cpu()? - own);
    let delivery = crowd.delivery();
    let mut problems = crowd.problems();
    if let Err(wrong) = settled {
        problems.push(format!("{wrong} watches do not show what is true"));
    }
    Ok(Report {
        connections: scale.connections,
        watches: scale.watches,
        arrival_us: arrivals * 1e6 / scale.connections as f64,
        flips_per_second: flipped as f64 / duration.as_secs_f64(),
        event_us: cpu * 1e6 / delivery.times as f64,
        delivery,
        generator_cpu: own / duration.as_secs_f64(),
        problems,
    })
}

/// Hides so many users in every second, or shows them again. Returns how often.
async fn flip(crowd: &Arc<Crowd>, a_second: usize, duration: Duration) -> Result<usize> {
    let backend = Arc::new(Backend::of(crowd.node_of(0))?);
    let pool = a_second.min(crowd.size);
    let times = (a_second as f64 * duration.as_secs_f64()) as usize;
    let mut ticks = interval(Duration::from_secs(1) / a_second as u32);
    let mut requests = JoinSet::new();
    for time in 0..times {
        ticks.tick().await;
        let user = time % pool * (crowd.size / pool);
        // In the last round everybody is shown again.
        let hides = (time / pool).is_multiple_of(2);
        let (crowd, backend) = (crowd.clone(), backend.clone());
        crowd.flips(user, !hides);
        requests.spawn(async move {
            if let Err(error) = backend.upserts([(user, json!({ "invisible": hides }))].into_iter()).await {
                crowd.errs(format!("an upsert failed: {error}"));
            }
        });
    }
    requests.join_all().await;
    Ok(times)
}
