//! Cancellation and a shutdown while much is going on.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use durable::prelude::*;

use crate::support::{MILLISECOND, SECOND};

const INSTANCES: usize = 300;
const ROUNDS: u32 = 60;
const GRACE: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Mill {
    ground: AtomicUsize,
    cancelled: AtomicUsize,
}

#[activity]
async fn grind(State(mill): State<Mill>, context: ActivityContext, round: u32) -> u32 {
    if !context.is_cancelled() {
        tokio::time::sleep(2 * MILLISECOND).await;
    }
    mill.ground.fetch_add(1, Ordering::SeqCst);
    round
}

#[workflow]
async fn grinds(rounds: u32) -> u32 {
    let mut sum = 0;
    for round in 0..rounds {
        sum += grind(round).await;
    }
    sum
}

async fn open(path: &std::path::Path, mill: &Arc<Mill>) -> Engine {
    Engine::builder().path(path).state_arc(mill.clone()).open().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_cancelled_or_not_is_that_after_a_shutdown_in_the_middle_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mill.redb");
    let mill = Arc::new(Mill::default());
    let engine = open(&path, &mill).await;
    for n in 0..INSTANCES {
        let half = if n % 2 == 0 { "even" } else { "odd" };
        engine.start(format!("mill-{n}"), grinds(ROUNDS)).tag("half", half).await.unwrap();
    }
    let cancelling = tokio::spawn({
        let (engine, mill) = (engine.clone(), mill.clone());
        async move {
            let mut acknowledged = HashSet::new();
            for n in (0..INSTANCES).step_by(2) {
                if engine.handle(format!("mill-{n}")).cancel("not enough water").await.is_ok() {
                    acknowledged.insert(n);
                    mill.cancelled.fetch_add(1, Ordering::SeqCst);
                }
            }
            acknowledged
        }
    });
    while mill.ground.load(Ordering::SeqCst) < INSTANCES || mill.cancelled.load(Ordering::SeqCst) < 20 {
        tokio::time::sleep(MILLISECOND).await;
    }
    let began = Instant::now();
    engine.shutdown(GRACE).await.unwrap();
    assert!(began.elapsed() < GRACE + 2 * SECOND, "it took {:?}", began.elapsed());
    let acknowledged = cancelling.await.unwrap();
    drop(engine);

    let repaired = Arc::new(AtomicBool::new(false));
    let told = repaired.clone();
    let mut builder = redb::Database::builder();
    builder.set_repair_callback(move |_| told.store(true, Ordering::SeqCst));
    drop(builder.open(&path).unwrap());
    assert!(!repaired.load(Ordering::SeqCst), "a clean shutdown leaves nothing to repair");

    let engine = open(&path, &mill).await;
    for n in 0..INSTANCES {
        let handle = engine.handle(format!("mill-{n}")).of(grinds);
        match handle.result().await {
            Ok(sum) => {
                assert_eq!(sum, (0..ROUNDS).sum::<u32>());
                assert!(!acknowledged.contains(&n), "mill-{n} was cancelled, and that was acknowledged");
            }
            Err(RunError::Cancelled { why, .. }) => {
                assert!(why == "not enough water" && n % 2 == 0, "mill-{n}: {why}");
            }
            Err(other) => panic!("mill-{n}: {other:?}"),
        }
    }
    assert!(!acknowledged.is_empty(), "some were cancelled before the shutdown");
    engine.shutdown(GRACE).await.unwrap();
}
