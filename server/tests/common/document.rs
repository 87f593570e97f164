//! `docs/PROTOCOL.md` and what belongs to it, as tests read it.

use std::fs;
use std::path::PathBuf;

/// A file of the repository.
pub fn read(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A table of `docs/PROTOCOL.md`.
pub fn table(heading: &str) -> Vec<Vec<String>> {
    table_of("docs/PROTOCOL.md", heading)
}

/// The rows of the table under the heading, without its head: the cells of each, without backticks.
pub fn table_of(path: &str, heading: &str) -> Vec<Vec<String>> {
    let document = read(path);
    let (_, section) = document.split_once(&format!("\n## {heading}\n")).expect("the heading is there");
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let row = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    let rows: Vec<Vec<String>> = lines.skip(2).map(row).collect();
    assert!(!rows.is_empty(), "{heading} has a table");
    rows
}

/// A file of JSON.
pub fn json_file(path: &str) -> serde_json::Value {
    serde_json::from_str(&read(path)).unwrap()
}
