//! Everybody there is: who watches whom, what is true of each, and what each has seen.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use reqwest::Client;
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::backend::{Backend, client};

/// Requests under way at a time: each keeps a connection of its own, which is memory of the server as well.
const REQUESTS: usize = 64;

/// How many there are.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Scale {
    /// Connections
    #[arg(long, default_value_t = 15_000)]
    pub connections: usize,
    /// Users each of them watches
    #[arg(long, default_value_t = 50)]
    pub watches: usize,
    /// Every event comes in a frame of its own, as clients are told that do not ask for batches
    #[arg(long)]
    pub one_event_a_frame: bool,
}

pub struct Crowd {
    /// Of each node.
    addresses: Vec<SocketAddr>,
    pub size: usize,
    pub watches: usize,
    pub one_event_a_frame: bool,
    pub http: Client,
    pub requests: Semaphore,
    began: Instant,
    /// Who is to be told of every flip.
    throughout: Vec<AtomicBool>,
    /// Who flipped since it is measured.
    flipped: Vec<AtomicBool>,
    /// When each last flipped, in microseconds, and in the lowest bit whether they are online.
    truth: Vec<AtomicU64>,
    /// What each watcher last saw of each it watches.
    seen: Vec<AtomicU8>,
    tally: Mutex<Tally>,
}

/// Nothing seen since the watcher connected.
const UNKNOWN: u8 = 2;

struct Tally {
    /// Times that those who read all the time have to be told of a flip, and that they were.
    due: u64,
    told: u64,
    delivery: Histogram<u64>,
    connect: Histogram<u64>,
    counts: BTreeMap<String, u64>,
    errors: BTreeMap<String, u64>,
}

/// How long something took, each time.
#[derive(Debug, Serialize)]
pub struct Durations {
    pub times: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

impl Crowd {
    /// So many users, all known to the server and offline, each of whom watches so many others.
    pub async fn gather(addresses: Vec<SocketAddr>, scale: &Scale) -> Result<Self> {
        let Scale { connections: size, watches, one_event_a_frame } = *scale;
        ensure!(watches > 0 && watches < size, "each can watch at most all others");
        let crowd = Self {
            addresses,
            size,
            watches,
            one_event_a_frame,
            http: client().build()?,
            requests: Semaphore::new(REQUESTS),
            began: Instant::now(),
            throughout: (0..size).map(|_| AtomicBool::new(false)).collect(),
            flipped: (0..size).map(|_| AtomicBool::new(false)).collect(),
            truth: (0..size).map(|_| AtomicU64::new(0)).collect(),
            seen: (0..size * watches).map(|_| AtomicU8::new(UNKNOWN)).collect(),
            tally: Mutex::new(Tally {
                due: 0,
                told: 0,
                delivery: Histogram::new_with_bounds(1, 600_000_000, 3)?,
                connect: Histogram::new_with_bounds(1, 600_000_000, 3)?,
                counts: BTreeMap::new(),
                errors: BTreeMap::new(),
            }),
        };
        Backend::of(crowd.node_of(0))?.introduces(size).await?;
        Ok(crowd)
    }

    /// The node that this one's socket is on.
    pub fn node_of(&self, member: usize) -> SocketAddr {
        self.addresses[member % self.addresses.len()]
    }

    /// Where this one asks about users: of several nodes, one that their socket is not on.
    pub fn users_url(&self, member: usize) -> String {
        format!("http://{}/users", self.node_of(member + 1))
    }

    /// The users whom this one watches: evenly spread, so that everybody is watched by as many.
    pub fn watched_by(&self, member: usize) -> impl Iterator<Item = usize> {
        (0..self.watches).map(move |place| (member + 1 + place * self.stride()) % self.size)
    }

    fn stride(&self) -> usize {
        self.size / self.watches
    }

    fn reads_throughout(&self, member: usize) -> bool {
        self.throughout[member].load(Ordering::SeqCst)
    }

    /// Where what `member` has seen of `user` is kept.
    fn place(&self, member: usize, user: usize) -> Option<&AtomicU8> {
        let distance = (user + self.size).checked_sub(member + 1)? % self.size;
        let place = distance / self.stride();
        (distance.is_multiple_of(self.stride()) && place < self.watches)
            .then(|| self.seen.get(member * self.watches + place))
            .flatten()
    }

    /// From this moment on, this is true of a user.
    pub fn flips(&self, user: usize, online: bool) {
        let micros = self.began.elapsed().as_micros() as u64;
        self.truth[user].store(micros << 1 | u64::from(online), Ordering::SeqCst);
        self.flipped[user].store(true, Ordering::SeqCst);
        let watcher = |place| (user + self.size - 1 - place * self.stride()) % self.size;
        let watchers = (0..self.watches).filter(|place| self.reads_throughout(watcher(*place))).count();
        self.tally().due += watchers as u64;
    }

    /// What was asked for was refused, and is asked for again only now.
    pub fn asks_again(&self, user: usize) {
        let micros = self.began.elapsed().as_micros() as u64;
        let _ =
            self.truth[user].fetch_update(Ordering::SeqCst, Ordering::SeqCst, |truth| Some(micros << 1 | truth & 1));
    }

    /// A connection was opened, so long after it was first tried.
    pub fn connects(&self, took: Duration) {
        self.tally().connect.saturating_record(took.as_micros() as u64);
    }

    /// A watcher begins anew.
    pub fn forgets(&self, member: usize) {
        for place in &self.seen[member * self.watches..(member + 1) * self.watches] {
            place.store(UNKNOWN, Ordering::SeqCst);
        }
    }

    /// A watcher is told of a flip.
    pub fn hears(&self, member: usize, user: usize, online: bool) {
        let Some(place) = self.place(member, user) else { return };
        if place.swap(u8::from(online), Ordering::SeqCst) == u8::from(!online) {
            // One who only stopped reading is seen to go as well, and has not flipped.
            if self.reads_throughout(member) && self.flipped[user].load(Ordering::SeqCst) {
                self.tally().told += 1;
            }
            let truth = self.truth[user].load(Ordering::SeqCst);
            if (truth & 1 == 1) == online {
                let took = (self.began.elapsed().as_micros() as u64).saturating_sub(truth >> 1);
                self.tally().delivery.saturating_record(took);
            }
        }
    }

    /// A watcher has asked how things are. What was told meanwhile is newer.
    pub fn reads(&self, member: usize, user: usize, online: bool) {
        if let Some(place) = self.place(member, user) {
            let _ = place.compare_exchange(UNKNOWN, u8::from(online), Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    /// Watches that do not show what is true.
    pub fn wrong(&self) -> usize {
        let wrong = |member| {
            let places = &self.seen[member * self.watches..];
            let truth = self.watched_by(member).map(|user| self.truth[user].load(Ordering::SeqCst) & 1);
            places.iter().zip(truth).filter(|(place, truth)| u64::from(place.load(Ordering::SeqCst)) != *truth).count()
        };
        (0..self.size).map(wrong).sum()
    }

    /// Something that may happen, and how often it did.
    pub fn counts(&self, what: impl Into<String>) {
        *self.tally().counts.entry(what.into()).or_default() += 1;
    }

    /// Something that must not happen.
    pub fn errs(&self, what: impl Into<String>) {
        *self.tally().errors.entry(what.into()).or_default() += 1;
    }

    pub fn counted(&self) -> BTreeMap<String, u64> {
        self.tally().counts.clone()
    }

    /// The same, in words, and whether somebody who reads all the time was not told of every flip.
    pub fn problems(&self) -> Vec<String> {
        let tally = self.tally();
        let mut problems: Vec<_> = tally.errors.iter().map(|(what, times)| format!("{what}: {times}")).collect();
        let (due, told) = (tally.due, tally.told);
        if told != due {
            problems.push(format!("those who read all the time were told of {told} flips, not of {due}"));
        }
        problems
    }

    pub fn errors(&self) -> BTreeMap<String, u64> {
        self.tally().errors.clone()
    }

    /// From the moment a flip is asked for until a watcher has read it.
    pub fn delivery(&self) -> Durations {
        Durations::of(&self.tally().delivery)
    }

    /// From the first try to connect until the first frame is there.
    pub fn connect(&self) -> Durations {
        Durations::of(&self.tally().connect)
    }

    /// What was before now does not count. From now on these are connected and read all the time, so that they have
    /// to be told of every flip.
    pub fn starts_measuring(&self, readers: impl Iterator<Item = usize>) {
        readers.for_each(|member| self.throughout[member].store(true, Ordering::SeqCst));
        self.flipped.iter().for_each(|flipped| flipped.store(false, Ordering::SeqCst));
        let mut tally = self.tally();
        tally.delivery.reset();
        tally.connect.reset();
        (tally.due, tally.told) = (0, 0);
    }

    /// Waits until every watch shows what is true, at most so long. How long it took, or how many do not.
    pub async fn all_right(&self, patience: Duration) -> Result<Duration, usize> {
        let began = Instant::now();
        loop {
            match self.wrong() {
                0 => return Ok(began.elapsed()),
                wrong if began.elapsed() > patience => return Err(wrong),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Durations {
    fn of(durations: &Histogram<u64>) -> Self {
        let ms = |micros: u64| micros as f64 / 1000.0;
        Self {
            times: durations.len(),
            p50_ms: ms(durations.value_at_quantile(0.5)),
            p99_ms: ms(durations.value_at_quantile(0.99)),
            max_ms: ms(durations.max()),
        }
    }
}
