//! Whatever she does who hides, in whatever order: it looks as if she were away.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::histories::{ACTS, History, PASTS, compare};
use crate::story::Goodbye;

#[test]
fn no_history_tells_hiding_from_being_away() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let history = (
        prop::sample::select(&Goodbye::ALL),
        prop::sample::select(PASTS),
        prop::collection::vec(prop::sample::select(ACTS), 0..12),
    );
    // Each case takes a second or so: a failure is found to be what it is after few.
    let config = Config { cases: 10, max_shrink_iters: 16, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&history, |(goodbye, past, then)| {
        let history = History { name: "at random", past, then: &then };
        runtime.block_on(compare(goodbye, &history));
        Ok(())
    });
    outcome.unwrap();
}
