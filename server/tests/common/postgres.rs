//! A Postgres of the tests' own, from what is installed: in a folder of its own, without a port, and
//! gone with the process that started it, however that ends.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{ConnectOptions, Executor};

const SCRIPT: &str = include_str!("../../../scripts/postgres.sh");

/// A server that runs.
pub struct Postgres {
    script: Child,
    answers: BufReader<ChildStdout>,
    folder: String,
}

/// The server that the tests of this process share. `None`, and a word about it, when Postgres is not
/// installed.
pub fn shared() -> Option<&'static Postgres> {
    static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
    SHARED.get_or_init(Postgres::start).as_ref()
}

impl Postgres {
    /// A server for whoever wants to stop it.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            // Not by `eprintln`, which is kept from sight when a test passes.
            let _ = writeln!(std::io::stderr(), "SKIPPED: no Postgres is installed: its stories are not told");
            return None;
        };
        let mut script = Command::new("sh")
            .args(["-c", SCRIPT])
            .arg(programs)
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(script.stdout.take().unwrap());
        let mut postgres = Self { script, answers, folder: String::new() };
        postgres.folder = postgres.answer();
        Some(postgres)
    }

    /// A database of this server that nobody else uses.
    pub async fn database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let options: sqlx::postgres::PgConnectOptions = self.url("postgres").parse().unwrap();
        let mut connection = options.connect().await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        self.url(&name)
    }

    /// Ends every connection.
    pub fn stop(&mut self) {
        self.tell("stop");
    }

    /// Ends it as a power cut does.
    pub fn crash(&mut self) {
        self.tell("crash");
    }

    /// After [`stop`](Self::stop) or [`crash`](Self::crash), with the same data.
    pub fn start_again(&mut self) {
        self.tell("start");
    }

    /// The socket on which it listens.
    pub fn socket(&self) -> PathBuf {
        Path::new(&self.folder).join(".s.PGSQL.5432")
    }

    fn url(&self, name: &str) -> String {
        format!("postgres://rollcall@localhost:5432/{name}?host={}", self.folder)
    }

    fn tell(&mut self, command: &str) {
        writeln!(self.script.stdin.as_mut().unwrap(), "{command}").unwrap();
        assert_eq!(self.answer(), "done");
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "Postgres did not start");
        line.trim_end().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}

/// The folder of Postgres's programs: of the one that `POSTGRES` names, or is on the path, or where
/// Debian keeps them.
fn programs() -> Option<PathBuf> {
    let named = std::env::var_os("POSTGRES").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("postgres"));
    let of_debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let of_debian = of_debian.map(|version| version.path().join("bin/postgres"));
    let found = named.into_iter().chain(on_path).chain(of_debian).find_map(|program| fs::canonicalize(program).ok())?;
    found.parent().filter(|folder| folder.join("initdb").exists()).map(Path::to_owned)
}
