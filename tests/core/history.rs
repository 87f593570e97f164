//! Random histories of one client, on a network that does what networks do, against a model of a
//! server: what [`world::World::check`] promises holds at every moment, and once everything has
//! been whole and quiet for a while the client knows the truth.
//!
//! `ROLLCALL_HISTORIES` says how many, and `ROLLCALL_SEED` which is the first; each follows from
//! its number alone. A release build plays many more unless told otherwise.

mod knowledge;
mod network;
mod page;
mod promises;
mod requests;
mod server;
mod shell;
mod step;
mod world;

use network::Weather;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use step::Step;
use world::World;

fn play(seed: u64, weather: Weather, steps: &[Step], logging: bool) -> World {
    let mut world = World::new(seed, logging);
    world.network.weather = weather;
    world.say(|| format!("• {weather:?}"));
    world.connect(true);
    for step in steps {
        if world.broken.is_some() {
            break;
        }
        world.say(|| format!("• {step:?}"));
        world.take(step);
        if logging {
            let shown = world.shown();
            world.say(|| format!("    {shown}"));
        }
    }
    world.say(|| "• everything is whole and quiet".into());
    world.heal();
    world.check_quiet(false);
    if world.broken.is_none() {
        world.say(|| "• once more, on a new connection".into());
        world.take(&Step::Reset { server_knows: true });
        world.heal();
        world.check_quiet(true);
    }
    world
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
fn whatever_happens_the_client_tells_the_truth_or_says_that_it_does_not_know() {
    let first = number("ROLLCALL_SEED", 0);
    let histories = number("ROLLCALL_HISTORIES", if cfg!(debug_assertions) { 500 } else { 100_000 });
    for seed in first..first + histories {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let config = Config { cases: 1, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let result = runner.run(&step::steps(), |(weather, steps)| match play(seed, weather, &steps, false).broken {
            Some(promise) => Err(TestCaseError::fail(promise)),
            None => Ok(()),
        });
        if let Err(TestError::Fail(_, (weather, steps))) = result {
            let history = play(seed, weather, &steps, true).history().join("\n");
            panic!("history {seed}, in as few steps as will do (ROLLCALL_SEED={seed} plays it again):\n{history}\n");
        }
    }
}
