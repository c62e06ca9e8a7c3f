//! Random trees of join, `try_join`, race, `select!` and timeout over activities, timers, signals, children and spawned workflows: through the
//! engine, on the virtual clock, with a crash after every commit, against a plain interpreter.
//!
//! A tree is data for a workflow that calls itself (`grow`). Each of its operations takes a time of its own, so the interpreter knows in which
//! order they end. It says what the tree gives, when, and which operations begin. The interpreter itself is the one that the futures
//! are compared with by themselves, in every order (`durable-core/src/compose/tests`).
//!
//! `DURABLE_SEED` replays one tree, `DURABLE_SCALE` multiplies how many there are.

mod grow;
#[path = "../../../../durable-core/src/compose/tests/plain.rs"]
mod plain;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use durable::testing;

use self::{
    grow::{Kind, LETTERS, Log, Node, Op, grown},
    plain::{Maker, Out, Plain, Plan, Wrong},
};

const TREES: u64 = 200;

/// A tree and what its operations do.
#[derive(Clone, Debug)]
struct Case {
    plan: Plan,
    ops: BTreeMap<u32, Op>,
    spawned: Vec<u32>,
}

impl Case {
    fn random(seed: u64) -> Case {
        let mut maker = Maker::new(seed);
        let plan = maker.plan(3);
        let Maker { mut rng, last, spawned, timers } = maker;
        let mut letters = 0..LETTERS;
        let mut ops = BTreeMap::new();
        for number in 1..=last {
            // Times are as good as never the same, nor the same sums.
            let ms = rng.u64(1..86_400_000);
            let kind = match rng.u32(..10) {
                _ if timers.contains(&number) => Kind::Timer,
                0..=4 => Kind::Activity,
                5 => Kind::Timer,
                6 => Kind::Child,
                _ => letters.next().map_or(Kind::Activity, Kind::Letter),
            };
            let fails = matches!(kind, Kind::Activity | Kind::Child) && rng.u8(..3) == 0;
            ops.insert(number, Op { number, kind, ms, fails });
        }
        Case { plan, ops, spawned }
    }

    fn start(&self) -> (Node, Vec<Op>, Vec<(u64, u32)>) {
        let mut letters: Vec<_> = self.ops.values().filter_map(Op::letter).collect();
        letters.sort_unstable();
        let spawned = self.spawned.iter().map(|number| self.ops[number].clone()).collect();
        (Node::of(&self.plan, &self.ops), spawned, letters)
    }
}

/// What is to come out of a case.
#[derive(Debug, PartialEq)]
struct Expected {
    out: Out,
    took: Duration,
    begun: BTreeSet<u32>,
}

/// Runs the interpreter over the times of the operations; `reversed`: as if what takes longest were done first.
fn expected(case: &Case, wrong: Wrong, reversed: bool) -> Option<Expected> {
    let mut plain = Plain::new(&case.plan, &case.spawned, wrong);
    let mut begun = BTreeSet::new();
    // A signal comes when it comes, whoever waits for it.
    let letters = case.ops.values().filter_map(|op| Some((op.letter()?.0, op.number)));
    let mut due: BTreeSet<(u64, u32)> = letters.collect();
    let mut now = 0;
    loop {
        if let Some(out) = plain.out() {
            let out = out.clone();
            return Some(Expected { out, took: Duration::from_millis(now), begun });
        }
        for number in plain.open() {
            let op = &case.ops[&number];
            if begun.insert(number) && op.letter().is_none() {
                due.insert((now + op.ms, number));
            }
        }
        let (time, number) = if reversed { due.pop_last()? } else { due.pop_first()? };
        now = now.max(time);
        plain.happened(number, case.ops[&number].fails);
    }
}

/// The trees to run, each with its seed.
fn cases(count: u64) -> impl Iterator<Item = (u64, Case)> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("it is a number"));
    let (seed, scale) = (number("DURABLE_SEED"), number("DURABLE_SCALE").unwrap_or(1));
    let seeds = seed.map_or(1..=count * scale, |seed| seed..=seed);
    seeds.map(|seed| (seed, Case::random(seed)))
}

/// Everything that began is in the plan of what was to begin, once, and an operation whose result counts has begun.
fn check_log(seed: u64, log: &Log, right: &Expected) {
    let keys = log.keys();
    for (number, keys) in &keys {
        assert_eq!(keys.len(), 1, "DURABLE_SEED={seed}: operation {number} began more than once: {keys:?}");
        assert!(
            right.begun.contains(number),
            "DURABLE_SEED={seed}: {number} should not have begun: {right:?}"
        );
    }
}

#[tokio::test]
async fn random_trees_through_the_engine_give_what_the_interpreter_gives_and_at_its_time() {
    let controls = [Wrong::Source, Wrong::Patient, Wrong::Late, Wrong::Unlimited, Wrong::Unmatched];
    let mut found_out = controls.map(|wrong| (wrong, 0));
    let (mut reversed_found, mut trees) = (0, 0);
    for (seed, case) in cases(TREES) {
        let right = expected(&case, Wrong::Not, false).expect("it ends");
        let log = Arc::new(Log::default());
        let engine = testing::engine().state_arc(log.clone()).open().await;
        let (node, spawned, letters) = case.start();
        let (out, took) = engine.run(grown(node, spawned, letters)).await.unwrap();
        assert_eq!((&out, took), (&right.out, right.took), "DURABLE_SEED={seed}: {case:?}");
        check_log(seed, &log, &right);
        for (wrong, times) in &mut found_out {
            let control = expected(&case, *wrong, false);
            *times +=
                u32::from(control.is_none_or(|control| (control.out, control.took) != (out.clone(), took)));
        }
        let control = expected(&case, Wrong::Not, true);
        reversed_found += u32::from(control.is_none_or(|control| control.out != out));
        trees += 1;
    }
    println!("{trees} trees; wrong interpreters found out: {found_out:?}, wrong order: {reversed_found}");
    let noticed = found_out.iter().all(|(_, times)| *times > 1) && reversed_found > 20;
    assert!(noticed || trees < TREES, "the comparison finds too little: {found_out:?}, {reversed_found}");
}

/// Runs a tree in peace and with a crash after each of its commits. Gives how many crashes there were.
async fn crash(seed: u64, case: Case) -> u64 {
    let right = expected(&case, Wrong::Not, false).expect("it ends");
    let logs: Arc<Mutex<Vec<Arc<Log>>>> = Arc::default();
    let kept = logs.clone();
    println!("DURABLE_SEED={seed}");
    let crashing = testing::crash_at_every_step(move || {
        let (node, spawned, letters) = case.start();
        grown(node, spawned, letters)
    });
    let crashing = crashing.with(move |builder| {
        let log = Arc::new(Log::default());
        kept.lock().unwrap().push(log.clone());
        builder.state_arc(log)
    });
    let report = crashing.await;
    // Each run gave what the first one gave; that this is right is the other test's affair.
    logs.lock().unwrap().iter().for_each(|log| check_log(seed, log, &right));
    report.crashes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_trees_give_the_same_at_the_same_time_with_a_crash_after_each_commit() {
    let half = |rest| async move {
        let mut crashes = 0;
        for (seed, case) in cases(TREES).filter(|(seed, _)| seed % 2 == rest) {
            crashes += crash(seed, case).await;
        }
        crashes
    };
    let (odd, even) = (tokio::spawn(half(1)), tokio::spawn(half(0)));
    let crashes = odd.await.unwrap() + even.await.unwrap();
    println!("{crashes} crashes");
}
