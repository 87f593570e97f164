//! Asks the server all the time whether it is well, from a thread that has nothing else to do.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use serde::Serialize;

const EVERY: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Probe {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Health>,
}

/// What `/healthz` answered.
#[derive(Debug, Default, Serialize)]
pub struct Health {
    pub answers: u64,
    /// Answers other than 200, and connections that were refused or broke.
    pub failures: u64,
    /// The longest time between two good answers.
    pub longest_gap_ms: u64,
}

impl Probe {
    pub fn start(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || watch(address, &stopped));
        Self { stop, thread }
    }

    pub fn stop(self) -> Result<Health> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the probe of /healthz broke"))
    }
}

fn watch(address: SocketAddr, stop: &AtomicBool) -> Health {
    let mut health = Health::default();
    let mut last = Instant::now();
    let mut stream = None;
    while !stop.load(Ordering::Relaxed) {
        match ask(address, &mut stream) {
            Ok(()) => {
                health.answers += 1;
                health.longest_gap_ms = health.longest_gap_ms.max(last.elapsed().as_millis() as u64);
                last = Instant::now();
            }
            Err(_) => {
                health.failures += 1;
                stream = None;
            }
        }
        thread::sleep(EVERY);
    }
    health.longest_gap_ms = health.longest_gap_ms.max(last.elapsed().as_millis() as u64);
    health
}

fn ask(address: SocketAddr, kept: &mut Option<TcpStream>) -> std::io::Result<()> {
    let stream = match kept {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect(address)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_nodelay(true)?;
            kept.insert(stream)
        }
    };
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
    // The answer is far shorter than a segment.
    let mut answer = [0; 2048];
    let length = stream.read(&mut answer)?;
    if answer[..length].starts_with(b"HTTP/1.1 200 ") { Ok(()) } else { Err(ErrorKind::InvalidData.into()) }
}
