//! `rollcall-load SERVER SCENARIO`: runs a scenario against this binary of the server and prints
//! what it measured, as JSON. Fails when something did not hold.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use rollcall_load::{Scale, connects, fan_out, growth, load, memory, query_users, storm};
use serde::Serialize;

#[derive(Parser)]
#[command(version, about = "What a Rollcall server holds")]
struct Arguments {
    /// The server's binary
    server: PathBuf,
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Subcommand)]
enum Scenario {
    /// A crowd that watches each other while many flip
    Load(load::Options),
    /// All connections end at once, and everybody comes back
    Storm(Scale),
    /// Events to many who watch, beside other servers
    FanOut(fan_out::Options),
    /// Connections that are opened, beside other servers
    Connects(connects::Options),
    /// Memory of connections that are idle, beside other servers
    Memory(memory::Options),
    /// So many connections that watch a few flip
    Growth(growth::Options),
    /// Users who are asked for by their ids, beside the database itself
    QueryUsers(query_users::Options),
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    // A socket is an open file, here and in the server, which inherits this.
    rlimit::increase_nofile_limit(u64::MAX)?;
    let Arguments { server, scenario } = Arguments::parse();
    let problems = match scenario {
        Scenario::Load(options) => shown(load::run(&server, &options).await?, |report| report.problems.clone())?,
        Scenario::Storm(scale) => {
            shown(storm::run(&server, &scale).await?, |report| report.problems().cloned().collect())?
        }
        Scenario::FanOut(options) => shown(fan_out::run(&server, &options).await?, |report| report.problems.clone())?,
        Scenario::Connects(options) => shown(connects::run(&server, &options).await?, |_| Vec::new())?,
        Scenario::Memory(options) => shown(memory::run(&server, &options).await?, |_| Vec::new())?,
        Scenario::QueryUsers(options) => shown(query_users::run(&server, &options).await?, |_| Vec::new())?,
        Scenario::Growth(options) => shown(growth::run(&server, &options).await?, |report| report.problems.clone())?,
    };
    for problem in &problems {
        eprintln!("✗ {problem}");
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints the report; returns its problems.
fn shown<R: Serialize>(report: R, problems: impl Fn(&R) -> Vec<String>) -> Result<Vec<String>> {
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(problems(&report))
}
