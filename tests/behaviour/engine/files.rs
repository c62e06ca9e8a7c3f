//! Over a real file: what a stop leaves, and who else may open it.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use durable::{EngineError, IdempotencyKey, OpenError, prelude::*, store};

use crate::support::{Gate, HOUR, SECOND};

/// A file in a directory that is removed at the end of the test.
struct File {
    path: PathBuf,
    _directory: tempfile::TempDir,
}

fn file() -> File {
    let directory = tempfile::tempdir().unwrap();
    File { path: directory.path().join("orders.redb"), _directory: directory }
}

#[derive(Default)]
struct Bench {
    gate: Gate,
    keys: Mutex<Vec<IdempotencyKey>>,
    ended: AtomicBool,
}

#[activity]
async fn work_at_bench(State(bench): State<Bench>, context: ActivityContext, n: u32) -> Result<u32, Error> {
    bench.keys.lock().unwrap().push(context.idempotency_key());
    bench.gate.pass().await;
    bench.ended.store(true, Ordering::SeqCst);
    Ok(n + 1)
}

#[workflow]
async fn bench_work(n: u32) -> Result<u32, Error> {
    let n = work_at_bench(n).await?;
    Ok(n * 10)
}

#[workflow]
async fn bench_rest(n: u32) -> u32 {
    sleep(HOUR).await;
    n
}

async fn open(file: &File, bench: &Arc<Bench>) -> Engine {
    Engine::builder().path(&file.path).state_arc(bench.clone()).open().await.unwrap()
}

#[tokio::test]
async fn shutdown_lets_an_attempt_end_within_its_grace_and_keeps_what_it_gives() {
    let (file, bench) = (file(), Arc::new(Bench::default()));
    let engine = open(&file, &bench).await;
    engine.start("work", bench_work(1)).await.unwrap();
    bench.gate.arrival().await;
    let stopping = tokio::spawn({
        let engine = engine.clone();
        async move { engine.shutdown(30 * SECOND).await }
    });
    // New work is refused while the old one ends.
    while !matches!(engine.start("late", bench_work(2)).await, Err(StartError::Engine(EngineError::Stopped)))
    {
        tokio::task::yield_now().await;
    }
    bench.gate.open(1);
    stopping.await.unwrap().unwrap();
    assert!(bench.ended.load(Ordering::SeqCst));
    drop(engine);

    let engine = open(&file, &bench).await;
    bench.gate.open(1);
    let result = engine.handle("work").of(bench_work).result().await.unwrap();
    assert_eq!(result.unwrap(), 20);
    let keys = bench.keys.lock().unwrap();
    let of_work = keys.iter().filter(|key| **key == keys[0]).count();
    assert_eq!(of_work, 1, "the attempt that ended in time is not repeated");
}

#[tokio::test]
async fn an_attempt_that_outlasts_the_grace_runs_again_with_the_same_key() {
    let (file, bench) = (file(), Arc::new(Bench::default()));
    let engine = open(&file, &bench).await;
    engine.start("work", bench_work(1)).await.unwrap();
    engine.start("rest", bench_rest(7)).await.unwrap();
    bench.gate.arrival().await;
    engine.shutdown(Duration::from_millis(10)).await.unwrap();
    assert!(!bench.ended.load(Ordering::SeqCst));
    drop(engine);

    let engine = open(&file, &bench).await;
    bench.gate.arrival().await;
    bench.gate.open(1);
    let result = engine.handle("work").of(bench_work).result().await.unwrap();
    assert_eq!(result.unwrap(), 20);
    let keys = bench.keys.lock().unwrap().clone();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0], keys[1]);
    let rest = engine.handle("rest").describe().await.unwrap();
    assert_eq!(rest.status, Status::Waiting);
}

#[tokio::test]
async fn after_a_shutdown_everything_is_refused() {
    let (file, bench) = (file(), Arc::new(Bench::default()));
    let engine = open(&file, &bench).await;
    let handle = engine.start("rest", bench_rest(7)).await.unwrap();
    engine.shutdown(SECOND).await.unwrap();
    let refused = engine.start("more", bench_rest(8)).await.unwrap_err();
    assert!(matches!(refused, StartError::Engine(EngineError::Stopped)), "{refused:?}");
    assert!(handle.terminate("late").await.is_err());
    assert!(handle.result().await.is_err(), "nobody waits for ever on a stopped engine");
}

#[tokio::test]
async fn dropping_the_engine_is_a_crash_that_loses_nothing() {
    let (file, bench) = (file(), Arc::new(Bench::default()));
    for _ in 0..3 {
        let engine = open(&file, &bench).await;
        engine.start("work", bench_work(1)).await.unwrap();
        engine.start("rest", bench_rest(7)).await.unwrap();
        bench.gate.arrival().await;
    }
    bench.gate.open(1);
    let engine = open(&file, &bench).await;
    let handle = engine.start("work", bench_work(99)).await.unwrap();
    assert!(!handle.created());
    assert_eq!(handle.result().await.unwrap().unwrap(), 20);
    assert_eq!(engine.list(Filter::new()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_result_is_there_after_the_file_was_opened_again() {
    let (file, bench) = (file(), Arc::new(Bench::default()));
    bench.gate.open(1);
    let engine = open(&file, &bench).await;
    assert_eq!(engine.start("work", bench_work(1)).await.unwrap().result().await.unwrap().unwrap(), 20);
    engine.shutdown(SECOND).await.unwrap();
    drop(engine);
    let engine = open(&file, &bench).await;
    let handle = engine.handle("work").of(bench_work);
    assert_eq!(handle.result().await.unwrap().unwrap(), 20);
    assert_eq!(handle.describe().await.unwrap().status, Status::Completed);
}

#[tokio::test]
async fn a_second_opening_is_refused_at_once_and_names_the_file() {
    let (file, bench) = (file(), Arc::new(Bench::default()));
    let engine = open(&file, &bench).await;
    let refused = Engine::open(&file.path).await.unwrap_err();
    match &refused {
        OpenError::Store(store::Error::Locked { path }) => assert_eq!(path, &file.path),
        other => panic!("{other:?}"),
    }
    assert!(refused.to_string().contains("orders.redb"), "{refused}");
    // The first one does not notice.
    bench.gate.open(1);
    assert_eq!(engine.run(bench_work(1)).await.unwrap().unwrap(), 20);
    drop(engine);
    Engine::open(&file.path).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let file = file();
    std::fs::write(&file.path, "sku,quantity\nlamp,2\n".repeat(1_000)).unwrap();
    let refused = Engine::open(&file.path).await.unwrap_err();
    assert!(matches!(refused, OpenError::Store(store::Error::Foreign { .. })), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&file.path).unwrap(), "sku,quantity\nlamp,2\n".repeat(1_000));
}

#[tokio::test]
async fn a_builder_without_a_store_says_what_is_missing() {
    let refused = Engine::builder().open().await.unwrap_err();
    assert!(matches!(refused, OpenError::NoStore), "{refused:?}");
    assert!(refused.to_string().contains(".path("), "{refused}");
}

#[tokio::test]
async fn a_back_up_is_made_while_the_engine_works_and_goes_on_from_there() {
    let (file, bench) = (file(), Arc::new(Bench::default()));
    let engine = open(&file, &bench).await;
    for n in 0..50 {
        engine.start(format!("rest-{n}"), bench_rest(n)).await.unwrap();
    }
    let work = engine.start("work", bench_work(1)).await.unwrap();
    let copy = file.path.with_file_name("copy.redb");
    let busy = tokio::spawn({
        let engine = engine.clone();
        async move {
            for n in 50..150 {
                engine.start(format!("rest-{n}"), bench_rest(n)).await.unwrap();
            }
        }
    });
    engine.backup(&copy).await.unwrap();
    busy.await.unwrap();
    // The engine goes on; what it does now is not in the copy.
    bench.gate.open(1);
    assert_eq!(work.result().await.unwrap().unwrap(), 20);
    assert_eq!(engine.list(Filter::new()).await.unwrap().len(), 151);
    let there = std::fs::read_dir(file.path.parent().unwrap()).unwrap();
    let mut names: Vec<_> = there.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["copy.redb", "orders.redb", "orders.redb.suspects"], "nothing else is left");

    let again = engine.backup(&copy).await.unwrap_err().to_string();
    assert!(again.contains("copy.redb") && again.contains("replaces no file"), "{again}");
    let nowhere = engine.backup(file.path.with_file_name("none").join("copy.redb")).await.unwrap_err();
    assert!(nowhere.to_string().contains("none"), "{nowhere}");
    engine.run(bench_rest_briefly()).await.expect("the store is none the worse for it");
    engine.shutdown(SECOND).await.unwrap();

    let engine =
        Engine::builder().path(&copy).state_arc(bench.clone()).verify_at_open(true).open().await.unwrap();
    let there = engine.list(Filter::new().limit(1_000)).await.unwrap();
    assert!((51..=151).contains(&there.len()), "{}", there.len());
    assert_eq!(engine.handle("work").of(bench_work).describe().await.unwrap().status, Status::Running);
    bench.gate.open(1);
    assert_eq!(engine.handle("work").of(bench_work).result().await.unwrap().unwrap(), 20);
    let keys = bench.keys.lock().unwrap();
    assert_eq!((keys.len(), keys[0]), (2, keys[1]), "it is the same call, which was made once more");
}

#[workflow]
async fn bench_rest_briefly() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test]
async fn the_next_process_waits_until_the_file_is_free_if_it_is_told_to() {
    let (file, bench) = (file(), Arc::new(Bench::default()));
    let first = open(&file, &bench).await;
    first.start("rest", bench_rest(7)).await.unwrap();
    let brief = Engine::builder().path(&file.path).wait_for_lock(Duration::from_millis(50)).open().await;
    assert!(matches!(brief.unwrap_err(), OpenError::Store(store::Error::Locked { .. })));
    let second =
        tokio::spawn(Engine::builder().path(&file.path).wait_for_lock(HOUR).two_phase_commit(true).open());
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(!second.is_finished(), "it waits");
    first.shutdown(SECOND).await.unwrap();
    let second = second.await.unwrap().unwrap();
    assert_eq!(second.handle("rest").describe().await.unwrap().status, Status::Waiting);
}
