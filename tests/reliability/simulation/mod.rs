//! The whole engine, simulated: a clock that is moved, a disk that loses power at any of its calls (also while it is opened again), commits that
//! fail, and an order of everything that a seed decides. After each thing that happens the engine's invariants are asserted.
//!
//! `DURABLE_SEED=17` runs seed 17 alone, and prints all that happens in it. Instances run random scripts ([`script`]): calls with retries and
//! time-outs, timers, messages, updates, joins, races, children, spawned workflows, compensations. Outside are callers who start, signal, cancel,
//! pause and resume. One life of the engine is in [`life`]; what happens in [`run`]; what is asserted in `durable-core/src/engine/simulation`.
//!
//! Deliberately absent: threads. What they can do to each other is the order in which the parts of their work are done, which is random here.

pub(crate) mod drive;
pub(crate) mod life;
pub(crate) mod run;
pub(crate) mod script;
pub(crate) mod world;

use std::time::{Duration, Instant};

use crate::times;
use life::Broken;
use run::simulate;

/// So many seeds under which something is wrong are enough to begin with.
const MANY: usize = 5;

/// The seeds of this run: those from 1 on, or the one that is asked for.
fn seeds(everyday: u64) -> Vec<u64> {
    match std::env::var("DURABLE_SEED") {
        Ok(seed) => vec![seed.parse().expect("DURABLE_SEED is a number")],
        Err(_) => (1..=times(everyday)).collect(),
    }
}

#[test]
fn the_invariants_hold_after_everything_that_happens() {
    let began = Instant::now();
    let seeds = seeds(1_000);
    let (mut crashes, mut nested, mut failures, mut events, mut results) = (0, 0, 0, 0, 0);
    let (mut slowest, mut wrong) = ((Duration::ZERO, 0), Vec::new());
    for seed in &seeds {
        let one = Instant::now();
        let outcome = simulate(*seed, Broken::Nothing);
        slowest = slowest.max((one.elapsed(), *seed));
        if seeds.len() == 1 {
            outcome.trace.iter().for_each(|line| println!("{line}"));
        }
        if !outcome.wrong.is_empty() {
            let last = &outcome.trace[outcome.trace.len().saturating_sub(12)..];
            wrong.push(format!("DURABLE_SEED={seed} repeats this: {:#?}\nafter {last:#?}", outcome.wrong));
            if wrong.len() >= MANY {
                break;
            }
        }
        crashes += outcome.crashes;
        nested += outcome.nested;
        failures += outcome.failures;
        events += outcome.trace.len();
        results += outcome.results;
    }
    println!(
        "{} seeds in {:.1?}: {events} events, {crashes} losses of power and {nested} more in the middle of openings, {failures} failing \
         commits, {results} results; the slowest was {slowest:?}",
        seeds.len(),
        began.elapsed(),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(seeds.len() == 1 || crashes as usize > seeds.len() / 2, "only {crashes} losses of power");
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in seeds(40) {
        let (one, other) = (simulate(seed, Broken::Nothing), simulate(seed, Broken::Nothing));
        let differs = one.trace.iter().zip(&other.trace).position(|(one, other)| one != other);
        assert_eq!(
            differs,
            None,
            "seed {seed}: {:?} and {:?}",
            differs.map(|at| &one.trace[at]),
            differs.map(|at| &other.trace[at])
        );
        assert_eq!(one.trace.len(), other.trace.len(), "seed {seed}");
    }
}

/// The controls: a store or a disk that forgets something is found out.
#[test]
fn what_is_forgotten_is_noticed() {
    const SEEDS: u64 = 30;
    for broken in [Broken::Syncs, Broken::Timers, Broken::Mail, Broken::Operations, Broken::Marks] {
        let noticed = (1..=SEEDS).filter(|seed| !simulate(*seed, broken).wrong.is_empty()).count();
        println!("{broken:?} broken: noticed under {noticed} of {SEEDS} seeds");
        assert!(noticed > 2, "{broken:?} broken was noticed under {noticed} of {SEEDS} seeds only");
    }
}
