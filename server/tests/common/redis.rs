//! A Redis of the tests' own, from what is installed: on a port and in a folder of its own, and gone
//! with the process that started it, however that ends. To start one takes a few hundredths of a
//! second, and what is published reaches all of a Redis's databases: each test has its own.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::iter;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

const SCRIPT: &str = include_str!("../../../scripts/redis.sh");
/// Below those that a system gives to whoever connects: while nothing listens on one of those, it may
/// be given to the very client that tries to reach it, which then reaches itself.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that runs.
pub struct Redis {
    script: Child,
    said: Receiver<String>,
    port: u16,
}

impl Redis {
    /// `None`, and a word about it, when Redis is not installed.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// One that also speaks TLS, with `cert.pem` and `key.pem` of this folder: and where it does.
    pub fn start_with_tls(certificate: &Path) -> Option<(Self, String)> {
        let port = free_port();
        let file = |name| certificate.join(name).display().to_string();
        let flags = [
            ["--tls-port", &port.to_string()],
            ["--tls-cert-file", &file("cert.pem")],
            ["--tls-key-file", &file("key.pem")],
            ["--tls-ca-cert-file", &file("cert.pem")],
            ["--tls-auth-clients", "no"],
        ];
        Some((Self::start_with(flags.as_flattened())?, format!("rediss://127.0.0.1:{port}")))
    }

    /// With flags of its own.
    fn start_with(flags: &[&str]) -> Option<Self> {
        let Some(program) = program() else {
            // Not by `eprintln`, which is kept from sight when a test passes.
            let _ = writeln!(std::io::stderr(), "SKIPPED: no Redis is installed: its stories are not told");
            return None;
        };
        let port = free_port();
        let mut script = Command::new("sh")
            .args(["-c", SCRIPT])
            .arg(program)
            .arg(port.to_string())
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(script.stdout.take().unwrap()).lines();
        let (say, said) = mpsc::channel();
        // Also what nobody waits for is read: Redis would wait for whoever reads its log.
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(say.send(line))));
        let redis = Self { script, said, port };
        redis.hears("Ready to accept connections");
        Some(redis)
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends every connection; what it knows is kept for [`start_again`](Self::start_again).
    pub fn stop(&mut self) {
        self.tell("TERM");
    }

    /// Ends as in a power cut: what was not saved is lost. `ask("SAVE")` saves; nothing else does.
    pub fn kill(&mut self) {
        self.tell("KILL");
    }

    /// On the same port, after it was stopped or killed.
    pub fn start_again(&mut self) {
        writeln!(self.script.stdin.as_mut().unwrap(), "start").unwrap();
        self.hears("Ready to accept connections");
    }

    /// Keeps all connections and answers nobody.
    pub fn freeze(&mut self) {
        self.tell("STOP");
    }

    /// Goes on after [`freeze`](Self::freeze), with what was sent meanwhile.
    pub fn thaw(&mut self) {
        self.tell("CONT");
    }

    /// See [`ask`].
    pub fn ask(&self, command: &str) -> String {
        ask(&self.url(), command)
    }

    fn tell(&mut self, command: &str) {
        writeln!(self.script.stdin.as_mut().unwrap(), "{command}").unwrap();
        self.hears("done");
    }

    fn hears(&self, end: &str) {
        let mut log = String::new();
        loop {
            match self.said.recv_timeout(PATIENCE) {
                Ok(line) if line.ends_with(end) => return,
                Ok(line) => log = format!("{log}{line}\n"),
                Err(_) => panic!("Redis did not say {end:?}, but:\n{log}"),
            }
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}

/// A Redis Cluster: masters among which the slots are divided, and replicas of the first of them.
pub struct RedisCluster {
    pub masters: Vec<Redis>,
    replicas: Vec<Redis>,
}

impl RedisCluster {
    /// How many masters there are.
    const MASTERS: usize = 3;
    const SLOTS: usize = 16_384;

    /// `None`, and a word about it, when Redis is not installed.
    pub fn start(replicas: usize) -> Option<Self> {
        let buses: Vec<_> = (0..Self::MASTERS + replicas).map(|_| free_port().to_string()).collect();
        let one = |bus: &String| {
            let flags = ["--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "1000"];
            // One master that is away is away alone.
            let alone = ["--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0"];
            Redis::start_with(&[&flags[..], &alone].concat())
        };
        let mut masters = buses.iter().map(one).collect::<Option<Vec<_>>>()?;
        let replicas = masters.split_off(Self::MASTERS);
        let cluster = Self { masters, replicas };
        let first_slot = |place| Self::SLOTS * place / Self::MASTERS;
        for (place, master) in cluster.masters.iter().enumerate() {
            master.does(&format!("CLUSTER ADDSLOTSRANGE {} {}", first_slot(place), first_slot(place + 1) - 1));
        }
        for (place, node) in cluster.nodes().enumerate() {
            node.does(&format!("CLUSTER SET-CONFIG-EPOCH {}", place + 1));
            node.does(&format!("CLUSTER MEET 127.0.0.1 {} {}", cluster.masters[0].port, buses[0]));
        }
        let all = format!("cluster_known_nodes:{}", buses.len());
        let is_whole = |info: String| {
            ["cluster_state:ok", "cluster_slots_assigned:16384", &all].iter().all(|part| info.contains(part))
        };
        cluster.nodes().for_each(|node| node.until("CLUSTER INFO", is_whole));
        for replica in &cluster.replicas {
            replica.does(&format!("CLUSTER REPLICATE {}", cluster.masters[0].id()));
            replica.until("ROLE", |role| role.contains("connected"));
        }
        Some(cluster)
    }

    /// The address of one of them: the others are learned from it.
    pub fn url(&self) -> String {
        self.masters[0].url()
    }

    /// The key that ends so, and the master that has it.
    pub fn find(&self, end: &str) -> (String, usize) {
        let keys = self.masters.iter().map(|master| master.ask(&format!("KEYS *{end}")));
        let found = keys.enumerate().find_map(|(place, keys)| Some((keys.lines().nth(2)?.to_owned(), place)));
        found.expect("a key that ends so")
    }

    /// Gives a slot, and all that is in it, to another master.
    pub fn move_slot(&self, slot: &str, from: usize, to: usize) {
        let (from, to) = (&self.masters[from], &self.masters[to]);
        to.does(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", from.id()));
        from.does(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", to.id()));
        let keys = from.ask(&format!("CLUSTER GETKEYSINSLOT {slot} 1000"));
        for key in keys.lines().filter(|line| line.starts_with("rollcall:")) {
            from.does(&format!("MIGRATE 127.0.0.1 {} {key} 0 5000", to.port));
        }
        for node in [to, from] {
            node.does(&format!("CLUSTER SETSLOT {slot} NODE {}", to.id()));
        }
    }

    fn nodes(&self) -> impl Iterator<Item = &Redis> {
        self.masters.iter().chain(&self.replicas)
    }
}

impl Redis {
    /// By what name the others of a Redis Cluster know it.
    fn id(&self) -> String {
        self.ask("CLUSTER MYID").lines().nth(1).expect("a name").to_owned()
    }

    fn does(&self, command: &str) {
        assert_eq!(self.ask(command), "+OK", "{command}");
    }

    /// Asks again and again.
    fn until(&self, question: &str, is_so: impl Fn(String) -> bool) {
        let since = Instant::now();
        while !is_so(self.ask(question)) {
            assert!(since.elapsed() < PATIENCE, "{question}: {}", self.ask(question));
            thread::yield_now();
        }
    }
}

/// What the Redis there answers to a command of words without spaces, as it comes over the wire.
pub fn ask(url: &str, command: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("redis://")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "{command}\r\nQUIT\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.strip_suffix("+OK\r\n").expect("an answer to QUIT").trim_end().to_owned()
}

/// The program that `REDIS_SERVER` names, or Redis or Valkey on the path.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os("REDIS_SERVER").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path =
        ["redis-server", "valkey-server"].map(|name| std::env::split_paths(&path).map(move |in_| in_.join(name)));
    named.into_iter().chain(on_path.into_iter().flatten()).find(|program| program.exists())
}

/// One on which nothing listens. Processes begin at different ones.
fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let begin = (std::process::id() as u16).wrapping_mul(61);
    let next = || PORTS.start + begin.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % PORTS.len() as u16;
    let mut ports = iter::repeat_with(next).take(PORTS.len());
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}
