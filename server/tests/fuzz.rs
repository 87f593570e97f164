//! A short run of the fuzz targets over their corpora: every entry as it is, then changed at
//! random. The long run, led by coverage, is `cargo fuzz` in `server/fuzz`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

/// What happens to an entry, at a place in it.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    /// A piece of another entry.
    Splice(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, with)| Change::Flip(at, with)),
        (any::<Index>(), prop::collection::vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (any::<Index>(), 1usize..16).prop_map(|(at, count)| Change::Remove(at, count)),
        (any::<Index>(), any::<Index>()).prop_map(|(at, other)| Change::Splice(at, other)),
    ]
}

fn apply(change: Change, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let place = |at: Index, bytes: &[u8]| at.index(bytes.len() + 1);
    match change {
        Change::Flip(at, with) => {
            let at = place(at, bytes);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= with;
            }
        }
        Change::Insert(at, piece) => {
            let at = place(at, bytes);
            bytes.splice(at..at, piece);
        }
        Change::Remove(at, count) => {
            let at = place(at, bytes);
            bytes.drain(at..(at + count).min(bytes.len()));
        }
        Change::Splice(at, other) => {
            let other = other.get(corpus);
            let from = place(at, other);
            let at = place(at, bytes);
            bytes.splice(at.., other[from..].iter().copied());
        }
    }
}

fn play(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let files = fs::read_dir(&folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    let corpus: Vec<Vec<u8>> = files.collect();
    assert!(!corpus.is_empty(), "{} is empty", folder.display());
    corpus.iter().for_each(|entry| target(entry));
    let changed = (any::<Index>(), prop::collection::vec(change(), 1..6));
    let config = Config { cases: 3_000, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&changed, |(entry, changes)| {
        let mut bytes = entry.get(&corpus).clone();
        changes.into_iter().for_each(|change| apply(change, &mut bytes, &corpus));
        target(&bytes);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
}

#[test]
fn connect_urls() {
    play("connect_url", targets::connect_url);
}

#[test]
fn frames() {
    play("frame", targets::frame);
}

#[test]
fn tokens() {
    play("token", targets::token);
}

#[test]
fn filters() {
    play("filter", targets::filter);
}

#[test]
fn bodies() {
    play("body", targets::body);
}
