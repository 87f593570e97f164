//! Whatever she does who hides, in whatever order: it looks as if she were away.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::answers::of_every_endpoint;
use crate::blur::assert_same;
use crate::histories::{ACTS, History, PASTS, lives};
use crate::story::Ada;

#[test]
fn no_history_tells_hiding_from_being_away() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let history = (prop::sample::select(PASTS), prop::collection::vec(prop::sample::select(ACTS), 0..12));
    // Each case takes a second or so: a failure is found to be what it is after few.
    let config = Config { cases: 10, max_shrink_iters: 16, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&history, |(past, then)| {
        let history = History { name: "at random", past, then: &then };
        runtime.block_on(async {
            let mut tellings = Vec::new();
            for ada in [Ada::Hides, Ada::IsAway] {
                let mut story = lives(ada, history).await;
                let answers = of_every_endpoint(&mut story).await;
                story.listen().await;
                story.graces_end().await;
                tellings.push(story.blurred(answers));
            }
            assert_same(&tellings[0], &tellings[1], "at random");
        });
        Ok(())
    });
    outcome.unwrap();
}
