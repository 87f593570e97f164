//! `rollcall-load SERVER SCENARIO`: runs a scenario against this binary of the server and prints
//! what it measured, as JSON. Fails when something did not hold.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use rollcall_load::{load, storm};

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
    Storm(storm::Options),
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    // A socket is an open file, here and in the server, which inherits this.
    rlimit::increase_nofile_limit(u64::MAX)?;
    let arguments = Arguments::parse();
    let (report, problems) = match arguments.scenario {
        Scenario::Load(options) => {
            let report = load::run(&arguments.server, &options).await?;
            (serde_json::to_string_pretty(&report)?, report.problems)
        }
        Scenario::Storm(options) => {
            let report = storm::run(&arguments.server, &options).await?;
            (serde_json::to_string_pretty(&report)?, report.problems().cloned().collect())
        }
    };
    println!("{report}");
    for problem in &problems {
        eprintln!("✗ {problem}");
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
