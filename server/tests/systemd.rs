//! The systemd unit and the configuration of `docs/OPERATIONS.md`, as they stand there.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::fs;
use std::io::ErrorKind;
use std::process::Stdio;

use clap::Parser;
use common::binary::Binary;
use common::{SECRET, document};
use reqwest::StatusCode;
use rollcall_server::config::Config;
use tokio::process::Command;

const BINARY: &str = env!("CARGO_BIN_EXE_rollcall-server");

/// The first block of code in this language.
fn block(language: &str) -> String {
    let document = document::read("docs/OPERATIONS.md");
    let (_, block) = document.split_once(&format!("\n```{language}\n")).expect("a block");
    block.split_once("```").unwrap().0.to_owned()
}

fn setting<'u>(unit: &'u str, key: &str) -> &'u str {
    unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).expect(key)
}

#[tokio::test]
async fn systemd_has_nothing_to_say_against_the_unit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rollcall.service");
    let unit = block("systemd").replace("/usr/local/bin/rollcall-server", BINARY);
    fs::write(&path, unit).unwrap();
    let verify = Command::new("systemd-analyze").arg("verify").arg(&path).output().await;
    match verify {
        Ok(verified) => {
            let said = String::from_utf8(verified.stderr).unwrap();
            let of_the_unit: Vec<_> = said.lines().filter(|line| line.contains("rollcall")).collect();
            assert!(verified.status.success() && of_the_unit.is_empty(), "{said}");
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn the_unit_s_command_starts_a_server_with_its_configuration() {
    let unit = block("systemd");
    let start: Vec<&str> = setting(&unit, "ExecStart").split(' ').collect();
    let [program, flags @ ..] = &start[..] else { panic!("{unit}") };
    assert!(program.ends_with("/rollcall-server"), "{program}");

    // The folders of a machine that is not ours: one of the test's stands for all of them.
    let directory = tempfile::tempdir().unwrap();
    let state = format!("/var/lib/{}", setting(&unit, "StateDirectory"));
    assert_eq!(setting(&unit, "WorkingDirectory"), state);
    let file = directory.path().join("rollcall.toml");
    let flags: Vec<_> =
        flags.iter().map(|flag| flag.replace("/etc/rollcall/rollcall.toml", file.to_str().unwrap())).collect();
    assert!(flags.contains(&file.to_str().unwrap().to_owned()), "{flags:?}");
    let configuration = block("toml");
    let free_port = configuration.replace("127.0.0.1:8800", "127.0.0.1:0");
    assert_ne!(free_port, configuration);
    fs::write(&file, free_port).unwrap();

    let mut command = Command::new(BINARY);
    command.args(&flags).env("ROLLCALL_API_SECRET", SECRET).current_dir(directory.path());
    command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let server = Binary::spawn(&mut command).await;
    let healthy = reqwest::get(format!("http://{}/healthz", server.address)).await.unwrap();
    assert_eq!(healthy.status(), StatusCode::OK);
    assert!(directory.path().join("rollcall.db").exists(), "the database is where the state is kept");
}

#[test]
fn systemd_waits_as_long_as_a_stop_takes() {
    let unit = block("systemd");
    let config = Config::try_parse_from(["rollcall-server"]).unwrap();
    let stop: u64 = setting(&unit, "TimeoutStopSec").parse().unwrap();
    assert!(stop > (config.drain_window + config.shutdown_timeout).as_secs());
}
