//! An error of the disk at every call of the engine to it, one after the other: once, and until the disk is mended. Callers get a typed error that says why;
//! what was acknowledged is there; the engine opens its store again and comes to the end that it would have come to.
//!
//! The engine is the simulated one ([`simulation`](crate::simulation)), so that call number `n` is the same call in every run.
//! [`io_error`](crate::io_error) has the same with threads, at random calls.

use std::{future::IntoFuture, time::Instant};

use durable::{
    EngineError, StartError,
    store::{Options, RedbStore},
};
use durable_core::simulation::{Move, SimulatedClock};
use durable_store::testing::{FailingDisk, Failure};

use crate::{
    contents::Contents,
    simulation::{
        drive::Driver,
        life::{Broken, Life, Live, Told},
        script::{Act, Spec, contradiction, perform},
    },
    times,
};
use std::sync::Arc;

const START_MS: u64 = 1_893_456_000_000;
const ID: &str = "the-instance";
/// So often a failing disk is met before the harness takes it for a loop.
const FAILURES: u32 = 20;
/// Without a cache there are many readings: of so many calls one fails every day.
const EVERY: u64 = 25;

fn acts() -> Vec<Act> {
    let child = Spec { seed: 3, first: 1_000, depth: 0, others: 1 };
    vec![
        Act::Undo(1),
        Act::Work(3),
        Act::Sleep(50),
        Act::Receive,
        Act::Join((10..20).collect()),
        Act::Child("kid".into(), child),
        Act::Work(4),
    ]
}

/// What a run has come to.
struct Ran {
    calls: u64,
    failures: u32,
}

/// Runs the workflow over a disk whose call number `fail_at` fails.
fn run(fail_at: u64, failure: Failure, cache_bytes: usize, broken: Broken) -> Result<Ran, String> {
    let disk = FailingDisk::new();
    let mut options = Options::default();
    options.cache_bytes = cache_bytes;
    let store = RedbStore::with_backend(disk.factory(), options).map_err(|error| error.to_string())?;
    let clock = SimulatedClock::new(START_MS);
    let counted = disk.clone();
    let opening = Live {
        store,
        held: Contents::default(),
        counted: Arc::new(move || counted.calls() as usize),
        disk: None,
        clock: &clock,
        seed: 1,
        keep: 0,
        broken,
    };
    let mut life = opening.begin()?;
    let before = disk.calls();
    disk.fail_at(before + fail_at, failure);
    let mut driver = Driver::new(clock.clone());
    driver.audits = false;
    let mut failures = 0;
    start(&mut life);
    loop {
        driver.drive(&mut life)?;
        if !life.simulated.is_broken() {
            break;
        }
        failures += 1;
        if failures > FAILURES {
            return Err("it fails again and again".into());
        }
        says_why(&life)?;
        disk.heal();
        life.simulated.make(Move::Reopen);
        life.let_move();
        // Who was refused asks again.
        start(&mut life);
    }
    disk.heal();
    let told = life.told.iter().any(|(_, told)| *told == Told::Started(ID.into()));
    if !told {
        return Err("the start was never acknowledged".into());
    }
    let audit = life.simulated.audit(0)?;
    if !audit.wrong.is_empty() {
        return Err(audit.wrong.join("; "));
    }
    let handle = life.simulated.engine().handle(ID).of(perform);
    match life.runtime.block_on(handle.try_result()) {
        Ok(Some(Ok(got))) => contradiction(acts(), &got).map_or(Ok(()), Err)?,
        other => return Err(format!("it has come to {other:?}")),
    }
    Ok(Ran { calls: disk.calls() - before, failures })
}

fn start(life: &mut Life) {
    let start = life.simulated.engine().start(ID, perform(acts())).into_future();
    life.call(async move { start.await.ok().map(|_| Told::Started(ID.into())) });
}

/// While the store can't be used, callers are told so, and why.
fn says_why(life: &Life) -> Result<(), String> {
    let start = life.simulated.engine().start("another", perform(Vec::new())).into_future();
    match life.runtime.block_on(start) {
        Err(StartError::Engine(EngineError::Broken { reason }))
            if reason.contains("the disk failed at call") =>
        {
            Ok(())
        }
        other => Err(format!("whoever asks is told {other:?}")),
    }
}

#[test]
fn no_call_is_the_wrong_one_to_fail() {
    let began = Instant::now();
    let (mut tried, mut failures, mut wrong) = (0, 0, Vec::new());
    for (cache_bytes, how, every) in [
        (1 << 20, Failure::Once, 1),
        (1 << 20, Failure::ForGood, 1),
        (0, Failure::Once, if times(1) > 1 { 1 } else { EVERY }),
        (0, Failure::ForGood, if times(1) > 1 { 1 } else { EVERY }),
    ] {
        let peace = run(u64::MAX / 2, how, cache_bytes, Broken::Nothing)
            .unwrap_or_else(|why| panic!("in peace: {why}"));
        println!("{} calls with a cache of {cache_bytes} bytes", peace.calls);
        for fail_at in (0..peace.calls).step_by(every as usize) {
            tried += 1;
            match run(fail_at, how, cache_bytes, Broken::Nothing) {
                Ok(ran) => failures += u64::from(ran.failures > 0),
                Err(why) => {
                    wrong.push(format!("call {fail_at}, {how:?}, a cache of {cache_bytes} bytes: {why}"));
                }
            }
        }
    }
    println!("{tried} failing calls in {:.1?}, {failures} noticed by the engine", began.elapsed());
    assert!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
    // What settling and closing meet is nobody's affair.
    assert!(failures > tried / 2, "only {failures} of {tried} failures were noticed");
}

/// The control: a store that forgets what it was to keep, and then fails, is found out.
#[test]
fn a_store_that_forgets_when_it_fails_is_found_out() {
    let broken = [Broken::Timers, Broken::Marks];
    let found = broken
        .map(|broken| (0..60).filter(|call| run(*call, Failure::Once, 1 << 20, broken).is_err()).count());
    println!("{found:?} of 60 runs noticed");
    assert!(found.iter().sum::<usize>() > 5, "only {found:?} of 60");
}
