//! Every workflow of up to two operations, and a loss of power at every call of its engine to the disk; then, while what is left is opened, again
//! and again.
//!
//! The engine is the simulated one ([`simulation`](crate::simulation)), so that a workflow makes the same calls in every run: it runs once to its end
//! on a disk that records them, and what a loss of power after each of them leaves is computed from the record. It must hold what was acknowledged by
//! then, or one commit more, byte for byte. From every such state an engine runs the workflow to its end, which must be one that its operations
//! allow. `DURABLE_SCALE=2` makes it three operations, of more kinds.

use std::{collections::BTreeSet, future::IntoFuture, time::Instant};

use durable_core::simulation::SimulatedClock;
use durable_store::testing::Rng;

use crate::{
    contents::Contents,
    seed,
    simulation::{
        drive::Driver,
        life::{Birth, Broken, Held, Life, Opened, Record, Told, hold},
        script::{Act, Spec, contradiction, perform},
    },
    times,
};

const START_MS: u64 = 1_893_456_000_000;
const ID: &str = "the-instance";
/// Losses of power in the middle of openings, one after the other.
const NESTED: u64 = 4;
/// Of so many losses one is followed by those.
const NESTED_OF: u64 = 8;

/// What came of it all.
#[derive(Debug, Default)]
struct Tally {
    programs: u64,
    losses: u64,
    nested: u64,
    driven: u64,
    wrong: Vec<String>,
}

/// The operations that a workflow is made of, at its nth place.
fn operations(nth: u64, all: bool) -> Vec<Act> {
    let call = nth * 10;
    let child = Spec { seed: 3, first: 1_000 * (nth + 1), depth: 0, others: 1 };
    let mut acts = vec![
        // The first attempt of a call whose number is a multiple of three fails.
        Act::Work(call * 3 + 3),
        Act::Sleep(50),
        Act::Receive,
        Act::Join(vec![call + 1, call + 2]),
        Act::Child(format!("kid-{nth}"), child),
        Act::Undo(call + 4),
        Act::Race(call + 5, call + 7),
    ];
    if all {
        acts.extend([
            Act::Beside(call + 5, call + 8),
            Act::Serve,
            Act::WorkFor(call + 1, 20),
            Act::ReceiveFor(20),
            Act::Risk(call + 2),
            Act::Show(1),
            Act::Fail,
        ]);
    }
    acts
}

/// Every sequence of up to so many operations.
fn programs(most: u64, all: bool) -> Vec<Vec<Act>> {
    let mut programs = vec![Vec::new()];
    let mut longest = programs.clone();
    for nth in 0..most {
        let longer = |program: &Vec<Act>| {
            let more = operations(nth, all).into_iter();
            more.map(|act| [program.clone(), vec![act]].concat()).collect::<Vec<_>>()
        };
        longest = longest.iter().flat_map(longer).collect();
        programs.extend(longest.iter().cloned());
    }
    programs
}

fn born(
    bytes: Vec<u8>,
    expected: Vec<Contents>,
    clock: &SimulatedClock,
    seed: u64,
    broken: Broken,
) -> Result<Life, String> {
    let birth = Birth { bytes, expected, clock, seed, keep: 0, dies_at: usize::MAX, broken };
    match birth.open()? {
        Opened::Life(life) => Ok(*life),
        Opened::Dead { .. } => unreachable!("nothing is to happen in this opening"),
    }
}

fn start(life: &mut Life, program: &[Act]) {
    let start = life.simulated.engine().start(ID, perform(program.to_vec())).into_future();
    life.call(async move { start.await.ok().map(|_| Told::Started(ID.into())) });
}

/// What is wrong with the end of the workflow, if something is.
fn judge(life: &Life, program: &[Act]) -> Result<(), String> {
    let handle = life.simulated.engine().handle(ID).of(perform);
    let result = life.runtime.block_on(handle.try_result());
    match result {
        Ok(Some(Ok(got))) => contradiction(program.to_vec(), &got).map_or(Ok(()), Err),
        Ok(Some(Err(_))) if program.iter().any(|act| matches!(act, Act::Fail | Act::Risk(_))) => Ok(()),
        other => Err(format!("it has come to {other:?}")),
    }
}

/// Runs a workflow in peace; gives the record of that.
fn in_peace(program: &[Act], broken: Broken) -> Result<Record, String> {
    let clock = SimulatedClock::new(START_MS);
    let mut life = born(Vec::new(), vec![Contents::default()], &clock, 1, broken)?;
    start(&mut life, program);
    Driver::new(clock).drive(&mut life)?;
    if broken == Broken::Nothing {
        judge(&life, program)?;
    }
    Ok(life.record())
}

/// From what a loss of power has left, an engine goes on to the end.
fn go_on(
    program: &[Act],
    bytes: Vec<u8>,
    expected: Vec<Contents>,
    told: &[Told],
    seed: u64,
) -> Result<(), String> {
    let clock = SimulatedClock::new(START_MS + 1_000);
    let mut life = born(bytes, expected, &clock, seed, Broken::Nothing)?;
    let is_there = life.simulated.is_told_to_end(ID)?.is_some();
    if told.contains(&Told::Started(ID.into())) && !is_there {
        return Err("its start was acknowledged, and it is not there".into());
    }
    // Whoever was not answered asks again.
    start(&mut life, program);
    let mut driver = Driver::new(clock);
    // Values of before the loss are none of this engine's.
    driver.values.0.extend((1..1_000).map(|value| (value, 0)));
    driver.drive(&mut life)?;
    judge(&life, program)
}

/// Opens what is left, and loses power in the middle of it, up to four times. What was acknowledged stays.
fn nested(bytes: &[u8], expected: &[Contents], rng: &mut Rng, tally: &mut Tally) -> Result<(), String> {
    let (mut bytes, mut expected) = (bytes.to_vec(), expected.to_vec());
    for _ in 0..=rng.below(NESTED) {
        let Held { store, disk, which } = hold(bytes, &expected, Broken::Nothing)?;
        tally.nested += 1;
        let trace = disk.trace();
        bytes = trace.image_at(rng.below(trace.calls() as u64 + 1) as usize, rng.next_u64());
        expected = vec![expected.swap_remove(which)];
        drop(store);
    }
    hold(bytes, &expected, Broken::Nothing).map(drop)
}

/// A loss of power at every call of a workflow's engine.
fn crash_everywhere(program: &[Act], broken: Broken, rng: &mut Rng, tally: &mut Tally) {
    tally.programs += 1;
    let record = match in_peace(program, broken) {
        Ok(record) => record,
        Err(reason) => return tally.wrong.push(format!("{program:?} in peace: {reason}")),
    };
    let mut driven = BTreeSet::new();
    for at in 0..=record.calls() {
        tally.losses += 1;
        let (left, expected, told) = record.at(at, rng.next_u64());
        let mut one = || {
            let Held { store, which, .. } = hold(left.clone(), &expected, Broken::Nothing)?;
            drop(store);
            if rng.below(NESTED_OF) == 0 {
                nested(&left, &expected, rng, tally)?;
            }
            // What an engine reads of two images that hold the same is the same.
            if driven.insert((record.commits(at) + which, told.len())) {
                tally.driven += 1;
                go_on(program, left.clone(), expected.clone(), &told, at as u64)?;
            }
            Ok::<_, String>(())
        };
        if let Err(reason) = one() {
            tally
                .wrong
                .push(format!("{program:?}, power lost after call {at} of {}: {reason}", record.calls()));
        }
    }
}

#[test]
fn no_call_is_the_wrong_one_to_lose_power_at() {
    let began = Instant::now();
    let (most, all) = if times(1) > 1 { (3, true) } else { (2, false) };
    let (mut rng, mut tally) = (Rng::new(seed()), Tally::default());
    for program in programs(most, all) {
        crash_everywhere(&program, Broken::Nothing, &mut rng, &mut tally);
        if tally.wrong.len() > 5 {
            break;
        }
    }
    let Tally { programs, losses, nested, driven, wrong } = tally;
    println!(
        "{programs} workflows in {:.1?}: {losses} losses of power, {driven} states gone on from, {nested} more losses in the middle of openings",
        began.elapsed()
    );
    assert!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong.join("\n"));
}

/// The control: on a disk whose syncs do nothing the same test must find losses.
#[test]
fn a_lying_disk_is_found_out_at_some_call() {
    let (mut rng, mut tally) = (Rng::new(seed()), Tally::default());
    for program in programs(1, false) {
        crash_everywhere(&program, Broken::Syncs, &mut rng, &mut tally);
    }
    println!("{} of {} losses of power on a lying disk noticed", tally.wrong.len(), tally.losses);
    assert!(tally.wrong.len() as u64 > tally.losses / 4, "only {} of {}", tally.wrong.len(), tally.losses);
}
