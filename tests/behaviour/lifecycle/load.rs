//! Cancellation and a shutdown while much is going on.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::{
        Arc, Mutex,
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
    /// Under which keys each round of each instance was ground.
    keys: Mutex<HashMap<(String, u32), HashSet<String>>>,
}

impl Mill {
    /// A round whose key was not kept with what it was part of is there twice.
    fn repeated(&self) -> Option<(String, u32)> {
        let keys = self.keys.lock().unwrap();
        keys.iter().find(|(_, keys)| keys.len() > 1).map(|(round, _)| round.clone())
    }
}

#[activity]
async fn grind(State(mill): State<Mill>, context: ActivityContext, round: u32) -> u32 {
    let (instance, key) = (context.instance_id().to_owned(), context.idempotency_key().to_string());
    mill.keys.lock().unwrap().entry((instance, round)).or_default().insert(key);
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

async fn open(path: &Path, mill: &Arc<Mill>) -> Engine {
    Engine::builder().path(path).state_arc(mill.clone()).open().await.unwrap()
}

/// Whether redb had to repair a file, and whether it is sound after that.
fn repaired(path: &Path) -> bool {
    let repaired = Arc::new(AtomicBool::new(false));
    let told = repaired.clone();
    let mut builder = redb::Database::builder();
    builder.set_repair_callback(move |_| told.store(true, Ordering::SeqCst));
    let mut database = builder.open(path).unwrap();
    assert!(database.check_integrity().unwrap(), "it is whole");
    repaired.load(Ordering::SeqCst)
}

/// Starts them all, and cancels every other one until the engine is gone. Gives whose cancellation was acknowledged, as soon as much goes on.
async fn under_load(engine: &Engine, mill: &Arc<Mill>) -> tokio::task::JoinHandle<HashSet<usize>> {
    for n in 0..INSTANCES {
        engine.start(format!("mill-{n}"), grinds(ROUNDS)).await.unwrap();
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
    cancelling
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_cancelled_or_not_is_that_after_a_shutdown_in_the_middle_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mill.redb");
    let mill = Arc::new(Mill::default());
    let engine = open(&path, &mill).await;
    let cancelling = under_load(&engine, &mill).await;
    let began = Instant::now();
    engine.shutdown(GRACE).await.unwrap();
    assert!(began.elapsed() < GRACE + 2 * SECOND, "it took {:?}", began.elapsed());
    let acknowledged = cancelling.await.unwrap();
    assert!(!acknowledged.is_empty(), "some were cancelled before the shutdown");
    drop(engine);
    assert!(!repaired(&path), "a clean shutdown leaves nothing to repair");

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
    assert_eq!(mill.repeated(), None, "a step was in part committed");
    engine.shutdown(GRACE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_not_closed_or_is_older_than_what_it_has_had_done_is_found_out() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("mill.redb"), directory.path().join("copy.redb"));
    let mill = Arc::new(Mill::default());
    let engine = open(&path, &mill).await;
    for n in 0..INSTANCES {
        engine.start(format!("mill-{n}"), grinds(ROUNDS)).await.unwrap();
    }
    // As it is on disk while the engine runs: no engine has closed it.
    std::fs::copy(&path, &copy).unwrap();
    let cancelling = under_load(&engine, &mill).await;
    engine.shutdown(GRACE).await.unwrap();
    cancelling.await.unwrap();
    drop(engine);
    assert!(repaired(&copy), "nobody has closed it");
    assert_eq!(mill.repeated(), None);

    // The steps that it has lost are made again.
    let engine = open(&copy, &mill).await;
    for n in 0..INSTANCES {
        let handle = engine.start(format!("mill-{n}"), grinds(ROUNDS)).await.unwrap();
        let _ = handle.result().await;
    }
    assert!(mill.repeated().is_some(), "what was lost was not noticed");
    engine.shutdown(GRACE).await.unwrap();
}
