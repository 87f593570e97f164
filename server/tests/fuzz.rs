//! A short run of the fuzz targets over their corpora: every entry as it is, then changed in ways that
//! are the same every time. The long run, led by coverage, is `npm run fuzz`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

#[path = "common/document.rs"]
#[allow(dead_code, reason = "each test binary uses its own part")]
mod document;
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::panic;
use std::path::Path;
use std::sync::Once;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

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

thread_local! {
    static PANICKED: Cell<bool> = const { Cell::new(false) };
}

/// A panic in a task only ends that task, and is to be seen all the same. The tasks are on this thread.
fn play_one(target: fn(&[u8]), bytes: &[u8]) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let say = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICKED.set(true);
            say(info);
        }));
    });
    PANICKED.set(false);
    target(bytes);
    assert!(!PANICKED.get(), "a task panicked");
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

fn play(name: &str, target: fn(&[u8]), cases: u32) {
    let corpus = corpus(name);
    corpus.iter().for_each(|entry| play_one(target, entry));
    let changed = (any::<Index>(), prop::collection::vec(change(), 1..6));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, rng).run(&changed, |(entry, changes)| {
        let mut bytes = entry.get(&corpus).clone();
        changes.into_iter().for_each(|change| apply(change, &mut bytes, &corpus));
        play_one(target, &bytes);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
}

#[test]
fn connect_urls() {
    play("connect_url", targets::connect_url, 300);
}

#[test]
fn frames() {
    play("frame", targets::frame, 300);
}

#[test]
fn tokens() {
    play("token", targets::token, 3_000);
}

#[test]
fn filters() {
    play("filter", targets::filter, 3_000);
}

#[test]
fn profiles() {
    play("profile", targets::profile, 3_000);
}

#[test]
fn bodies() {
    play("body", targets::body, 500);
}

#[test]
fn every_endpoint_is_in_the_corpus_of_bodies() {
    // Who asks, the method, the path.
    let lines = corpus("body").into_iter().map(|entry| String::from_utf8_lossy(&entry).into_owned());
    let asked: Vec<(String, String)> = lines
        .filter_map(|text| {
            let mut words = text.lines().next()?.split([' ', '?']).skip(1).map(str::to_owned);
            Some((words.next()?, words.next()?))
        })
        .collect();
    let is_asked = |method: &str, pattern: &str| {
        let parts: Vec<&str> = pattern.split('/').collect();
        asked.iter().any(|(asked, path)| {
            let path: Vec<&str> = path.split('/').collect();
            let fits = |(part, there): (&&str, &&str)| part.starts_with('{') || part == there;
            asked == method && path.len() == parts.len() && parts.iter().zip(&path).all(fits)
        })
    };
    let rows = document::table("Endpoints").into_iter().filter(|row| row[1] != "left out");
    let missing: BTreeSet<String> = rows
        .map(|row| row[0].clone())
        .filter(|endpoint| !["GET /connect", "GET /longpoll"].contains(&endpoint.as_str()))
        .filter(|endpoint| endpoint.split_once(' ').is_none_or(|(method, path)| !is_asked(method, path)))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
