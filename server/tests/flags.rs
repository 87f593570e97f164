//! `docs/OPERATIONS.md` lists every flag, with the default that it has.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::collections::BTreeMap;

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
