//! `docs/OPERATIONS.md` lists every flag, with the default that it has.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use clap::{ArgAction, CommandFactory};
use common::document::table_of;
use rollcall_server::config::Config;

#[test]
fn every_flag_is_in_the_tables_with_its_default() {
    let flag = |argument: &clap::Arg| {
        let default = argument.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
        let takes_a_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
        let default = default.filter(|_| takes_a_value).unwrap_or_default();
        argument.get_long().map(|name| (format!("--{name}"), default))
    };
    let known: BTreeMap<_, _> = Config::command().get_arguments().filter_map(flag).collect();
    let rows = ["Limits", "Other flags"].map(|heading| table_of("docs/OPERATIONS.md", heading)).concat();
    let flags = rows.into_iter().filter(|row| row[0].starts_with("--"));
    let listed: BTreeMap<_, _> = flags.map(|row| (row[0].clone(), row[1].clone())).collect();
    assert_eq!(listed, known);
}

/// Whether it holds is for those tests to say: here a limit that none of them sets is found.
#[test]
fn every_limit_is_set_by_a_test() {
    let mut texts = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                // What all tests share sets some, and looks at none.
                true if path.ends_with("common") => {}
                true => folders.push(path),
                false => texts.push(fs::read_to_string(path).unwrap()),
            }
        }
    }
    let rows = table_of("docs/OPERATIONS.md", "Limits");
    let flags: Vec<_> = rows.into_iter().map(|row| row[0].clone()).filter(|flag| flag.starts_with("--")).collect();
    assert!(flags.len() > 20, "{flags:?}");
    for flag in flags {
        let quoted = format!("\"{flag}\"");
        assert!(texts.iter().any(|text| text.contains(&quoted)), "no test sets {flag}");
    }
}
