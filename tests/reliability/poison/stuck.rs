//! Steps that do not end: a loop without an await, or a call that blocks.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use durable::prelude::*;
use durable::{EngineBuilder, EngineError};

use super::{LONG, neighbours_go_on};
use crate::block_on;

const TIMEOUT: Duration = Duration::from_millis(200);

/// The tests of this module have these in common, so one runs at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
static RELEASED: AtomicBool = AtomicBool::new(false);
static STUCK: AtomicU32 = AtomicU32::new(0);

#[activity]
async fn prepare(number: u32) -> u32 {
    number + 1
}

/// A loop that nobody has thought of an end for; here it ends when the test says so.
fn spin() {
    STUCK.fetch_add(1, Ordering::SeqCst);
    while !RELEASED.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_micros(100));
    }
}

#[workflow]
async fn endless(number: u32) -> u32 {
    let prepared = prepare(number).await;
    spin();
    prepare(prepared).await
}

#[workflow]
async fn endless_at_once(number: u32) -> u32 {
    spin();
    prepare(number).await
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < LONG, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn alone() -> std::sync::MutexGuard<'static, ()> {
    let guard = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    RELEASED.store(false, Ordering::SeqCst);
    STUCK.store(0, Ordering::SeqCst);
    guard
}

fn builder(directory: &tempfile::TempDir) -> EngineBuilder {
    Engine::builder().path(directory.path().join("store.redb"))
}

#[test]
fn others_go_on_while_steps_do_not_end_and_a_step_that_ends_late_counts() {
    let _alone = alone();
    let directory = tempfile::tempdir().expect("a directory for the test");
    block_on(async {
        let engine = builder(&directory).step_timeout(TIMEOUT).open().await.expect("the engine opens");
        let mut endless_ones = Vec::new();
        // More than there are workers, and in batches with others.
        for number in 0..4 {
            endless_ones
                .push(engine.start(format!("endless-{number}"), endless(number)).await.expect("it starts"));
            for other in 0..5 {
                let id = format!("beside-{number}-{other}");
                engine.start(id, super::neighbour(5)).await.expect("it starts");
            }
        }
        let starting = {
            let engine = engine.clone();
            tokio::spawn(async move { engine.start("at-once", endless_at_once(7)).await?.result().await })
        };
        until("all of them are stuck", async || STUCK.load(Ordering::SeqCst) == 5).await;
        neighbours_go_on(&engine, "new").await;
        for number in 0..4 {
            for other in 0..5 {
                let beside = engine.handle(format!("beside-{number}-{other}")).of(super::neighbour);
                let ended = tokio::time::timeout(LONG, beside.result()).await.expect("it goes on");
                assert_eq!(ended.expect("it ends"), 5);
            }
        }
        for stuck in &endless_ones {
            until("it is seen", async || stuck.describe().await.unwrap().stepping_since.is_some()).await;
        }
        let said = endless_ones[0].describe().await.unwrap().to_string();
        assert!(said.contains("makes a step that does not end"), "{said}");
        let listed = engine.list(Filter::new().workflow("endless")).await.expect("a list");
        assert!(listed.iter().all(|one| one.stepping_since.is_some()), "{listed:?}");
        assert_eq!(STUCK.load(Ordering::SeqCst), 5, "nobody makes a step a second time");

        RELEASED.store(true, Ordering::SeqCst);
        for (number, stuck) in (0..).zip(&endless_ones) {
            assert_eq!(stuck.result().await.expect("it ends"), number + 2);
            assert!(stuck.describe().await.unwrap().stepping_since.is_none());
        }
        assert_eq!(starting.await.expect("no panic").expect("it ends"), 8);
        assert_eq!(STUCK.load(Ordering::SeqCst), 5);
        neighbours_go_on(&engine, "after").await;
        engine.shutdown(LONG).await.expect("nothing is stuck any more");
    });
}

/// The control: it is the watchdog that lets the others go on.
#[test]
fn without_a_watchdog_nobody_goes_on() {
    let _alone = alone();
    let directory = tempfile::tempdir().expect("a directory for the test");
    block_on(async {
        let engine = builder(&directory).step_timeout(LONG * 60).open().await.expect("the engine opens");
        for number in 0..2 {
            engine.start(format!("endless-{number}"), endless(number)).await.expect("it starts");
            // One worker takes whatever is there together: the next one is for another.
            until("a worker more is stuck", async || STUCK.load(Ordering::SeqCst) > number).await;
        }
        let waiting = tokio::time::timeout(3 * TIMEOUT, engine.run(super::neighbour(1))).await;
        assert!(waiting.is_err(), "there is nobody who could step it");
        RELEASED.store(true, Ordering::SeqCst);
    });
}

#[test]
fn a_shutdown_says_which_step_does_not_end_and_the_next_opening_goes_on() {
    let _alone = alone();
    let directory = tempfile::tempdir().expect("a directory for the test");
    let began = Instant::now();
    block_on(async {
        // The watchdog would come too late.
        let engine = builder(&directory).step_timeout(LONG).open().await.expect("the engine opens");
        let stuck = engine.start("endless", endless(1)).await.expect("it starts");
        until("it is stuck", async || STUCK.load(Ordering::SeqCst) == 1).await;
        let stopped = engine.shutdown(Duration::from_millis(100)).await.expect_err("a step has not ended");
        let EngineError::StillStepping { ids } = &stopped else { panic!("{stopped}") };
        assert_eq!(ids[..], ["endless"]);
        assert!(stopped.to_string().contains("instance `endless` still makes a step"), "{stopped}");
        drop(stuck);
    });
    assert!(began.elapsed() < LONG / 2, "it took {:?}", began.elapsed());
    block_on(async {
        let engine = builder(&directory).open().await.expect("the file is free");
        RELEASED.store(true, Ordering::SeqCst);
        let goes_on = engine.handle("endless").of(endless);
        assert_eq!(goes_on.result().await.expect("it ends"), 3);
        neighbours_go_on(&engine, "new").await;
    });
}

#[test]
fn a_step_that_was_killed_twice_is_parked() {
    let _alone = alone();
    let directory = tempfile::tempdir().expect("a directory for the test");
    let side_file = directory.path().join("store.redb.suspects");
    for stop in 0..2 {
        block_on(async {
            let engine = builder(&directory).step_timeout(LONG).open().await.expect("the engine opens");
            engine.start("endless", endless(1)).await.expect("it starts");
            until("it is stuck", async || STUCK.load(Ordering::SeqCst) == stop + 1).await;
            // For the instance it makes no difference how the process ends.
            engine.shutdown(Duration::ZERO).await.expect_err("a step has not ended");
        });
        assert!(side_file.exists(), "it is suspected");
    }
    block_on(async {
        let engine = builder(&directory).open().await.expect("the engine opens");
        assert_eq!(super::parked(&engine, "endless").await, durable::ParkReason::ProcessDied);
        neighbours_go_on(&engine, "new").await;
        RELEASED.store(true, Ordering::SeqCst);
        engine.handle("endless").retry_now().await.expect("it is tried again");
        assert_eq!(engine.handle("endless").of(endless).result().await.expect("it ends"), 3);
        engine.shutdown(LONG).await.expect("the engine stops");
    });
    assert!(!side_file.exists(), "nobody is suspected any more");
}
