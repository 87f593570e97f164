//! Reconnect storm: all connections end at once, and everybody comes back as a good client does.
//! Measured are the time until all are back and right, and the longest gap in `/healthz`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep};

use crate::crowd::{Crowd, Scale};
use crate::health::{Health, Probe};
use crate::member::Member;
use crate::process::own_cpu;
use crate::server::Server;

/// How long a storm may last.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug, Serialize)]
pub struct Report {
    pub connections: usize,
    pub watches: usize,
    /// Everybody's connection breaks without a word.
    pub cut: Storm,
    /// The server is killed and started again.
    pub crash: Storm,
}

#[derive(Debug, Serialize)]
pub struct Storm {
    pub all_back_ms: Option<u64>,
    pub all_right_ms: Option<u64>,
    pub health: Health,
    pub server_cpu_s: f64,
    pub generator_cpu_s: f64,
    /// What may happen: clients that were told to come back, or found no server.
    pub counts: BTreeMap<String, u64>,
    /// What must not.
    pub problems: Vec<String>,
}

struct Scene {
    crowd: Arc<Crowd>,
    here: Arc<AtomicUsize>,
    cut: broadcast::Sender<()>,
}

/// Runs both storms, one after the other, against this binary of the server.
pub async fn run(server: &Path, scale: &Scale) -> Result<Report> {
    let mut server = Server::start(server, &[]).await?;
    let crowd = Arc::new(Crowd::gather(vec![server.address], scale).await?);
    let scene = Scene { crowd: crowd.clone(), here: Arc::default(), cut: broadcast::channel(1).0 };
    for number in 0..scale.connections {
        crowd.flips(number, true);
        tokio::spawn(keeps_coming_back(crowd.clone(), number, scene.here.clone(), scene.cut.subscribe()));
    }
    ensure!(scene.all_back().await, "not all arrived: {:?} {:?}", crowd.counted(), crowd.errors());
    if let Err(wrong) = crowd.all_right(PATIENCE).await {
        bail!("{wrong} watches are wrong before it has begun: {:?} {:?}", crowd.counted(), crowd.errors());
    }
    eprintln!("{} are connected and watch", scale.connections);

    let cut = scene.weathers(&mut server, false).await?;
    eprintln!("all were cut, and are back");
    let crash = scene.weathers(&mut server, true).await?;
    Ok(Report { connections: scale.connections, watches: scale.watches, cut, crash })
}

impl Scene {
    async fn weathers(&self, server: &mut Server, crash: bool) -> Result<Storm> {
        let before = self.crowd.counted();
        let cpu = (if crash { 0.0 } else { server.process.cpu()? }, own_cpu()?);
        let probe = Probe::start(server.address);
        let began = Instant::now();
        match crash {
            true => server.crash().await?,
            false => _ = self.cut.send(())?,
        }
        while self.here.load(Ordering::SeqCst) == self.crowd.size {
            sleep(Duration::from_millis(1)).await;
        }
        let back = self.all_back().await.then(|| began.elapsed().as_millis() as u64);
        let right = self.crowd.all_right(PATIENCE).await;
        let right_after = began.elapsed().as_millis() as u64;
        let health = probe.stop()?;
        let mut problems = self.crowd.problems();
        if back.is_none() {
            problems.push("not all came back".to_owned());
        }
        if let Err(wrong) = right {
            problems.push(format!("{wrong} watches do not show what is true"));
        }
        if !crash && health.failures > 0 {
            problems.push(format!("/healthz failed {} times", health.failures));
        }
        let mut counts = self.crowd.counted();
        counts.iter_mut().for_each(|(what, times)| *times -= before.get(what).copied().unwrap_or(0));
        counts.retain(|_, times| *times > 0);
        Ok(Storm {
            all_back_ms: back,
            all_right_ms: right.ok().map(|_| right_after),
            health,
            server_cpu_s: server.process.cpu()? - cpu.0,
            generator_cpu_s: own_cpu()? - cpu.1,
            counts,
            problems,
        })
    }

    /// Waits until everybody is connected and watches. Whether they came.
    async fn all_back(&self) -> bool {
        let began = Instant::now();
        while self.here.load(Ordering::SeqCst) < self.crowd.size {
            if began.elapsed() > PATIENCE {
                return false;
            }
            sleep(Duration::from_millis(10)).await;
        }
        true
    }
}

async fn keeps_coming_back(crowd: Arc<Crowd>, number: usize, here: Arc<AtomicUsize>, mut cut: broadcast::Receiver<()>) {
    let mut member = Member::arrives(&crowd, number).await;
    loop {
        here.fetch_add(1, Ordering::SeqCst);
        tokio::select! {
            _ = member.listens() => {}
            _ = cut.recv() => {}
        }
        here.fetch_sub(1, Ordering::SeqCst);
        // Without a close frame.
        drop(member);
        member = Member::returns(&crowd, number).await;
    }
}

impl Report {
    /// What did not hold.
    pub fn problems(&self) -> impl Iterator<Item = &String> {
        self.cut.problems.iter().chain(&self.crash.problems)
    }
}
