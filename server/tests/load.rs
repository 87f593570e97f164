//! A crowd of real connections to the real binary: `npm run load` and `npm run storm`, smaller.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

use std::path::Path;
use std::time::Duration;

use rollcall_load::{Nodes, Scale, load, storm};

const SERVER: &str = env!("CARGO_BIN_EXE_rollcall-server");
const SCALE: Scale = Scale { connections: 300, watches: 50, one_event_a_frame: false };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_nobody_misses_a_flip() {
    let options = load::Options { scale: SCALE, nodes: Nodes::default(), flips: 20, duration: Duration::from_secs(15) };
    let report = load::run(Path::new(SERVER), &options).await.unwrap();
    // A debug build that has just started has not yet the memory it will keep.
    let problems: Vec<_> = report.problems.iter().filter(|problem| !problem.starts_with("memory")).collect();
    assert!(problems.is_empty(), "{report:#?}");
    // Fifty watch each of them.
    assert!(report.delivery.times > 1_000, "{report:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_storm_all_are_back_and_right_and_the_server_answered_throughout() {
    let report = storm::run(Path::new(SERVER), &SCALE).await.unwrap();
    assert_eq!(report.problems().count(), 0, "{report:#?}");
    assert!(report.cut.health.longest_gap_ms < 2_000, "{report:#?}");
}
