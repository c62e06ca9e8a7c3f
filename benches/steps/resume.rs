//! Resuming an instance that has made few steps against one that has made many.
//!
//! Each instance makes its steps over a file in memory and then stands still in an activity. The
//! file as it is at that moment, which is what a `kill -9` leaves, is written to the disk afresh for
//! every round, and a new engine opens it.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use durable::{
    Engine, State, activity,
    store::{MemoryImage, RedbStore, Slot, Store},
    workflow,
};
use tokio::sync::Notify;

use crate::{
    Dir,
    stats::{Sample, micros},
    workload::tick,
};

const FEW: u64 = 10;
const MANY: u64 = 100_000;
const ROUNDS: usize = 25;
const ID: &str = "long-lived";

/// Where the workflow stands when its process is killed, and where the next process shows progress.
#[derive(Default)]
struct Gate {
    reached: Notify,
    open: AtomicBool,
}

/// Stands still in the first process and passes in the next.
#[activity]
async fn pass(State(gate): State<Gate>, total: u64) -> u64 {
    gate.reached.notify_one();
    if !gate.open.load(Ordering::Acquire) {
        std::future::pending::<()>().await;
    }
    total
}

#[workflow]
async fn long(steps: u64) -> u64 {
    let mut total = 0;
    for n in 0..steps {
        let next = tick(n).await;
        total += next - n;
    }
    pass(total).await
}

/// A file as a crash leaves it, and what it holds.
struct Crashed {
    steps: u64,
    file: Vec<u8>,
    row_bytes: usize,
}

pub(crate) fn run(runtime: &tokio::runtime::Runtime, dir: &Dir) {
    let crashed = [FEW, MANY].map(|steps| runtime.block_on(crash_after(steps)));
    let mut progress = [Sample::default(), Sample::default()];
    let mut opened = [Sample::default(), Sample::default()];
    let mut described = [Sample::default(), Sample::default()];
    for round in 0..=ROUNDS {
        for (at, crashed) in crashed.iter().enumerate() {
            let path = dir.fresh("resume.redb");
            std::fs::write(&path, &crashed.file).expect("the file is written");
            std::fs::File::open(&path).and_then(|file| file.sync_all()).expect("the file is synced");
            let times = runtime.block_on(resume(&path, crashed.steps));
            if round > 0 {
                opened[at].add(times.opened);
                progress[at].add(times.progress);
                described[at].add(times.described);
            }
        }
    }
    println!("\nresume of an instance after a kill, {ROUNDS} rounds");
    println!("  steps committed          {FEW:>28} {MANY:>28}");
    let row = |name: &str, samples: &[Sample; 2]| {
        println!("  {name:<24} {:>28} {:>28}", samples[0].show(" us"), samples[1].show(" us"));
    };
    row("open", &opened);
    row("open to first progress", &progress);
    row("describe", &described);
    println!("  row bytes                {:>28} {:>28}", crashed[0].row_bytes, crashed[1].row_bytes);
    println!("  file bytes               {:>28} {:>28}", crashed[0].file.len(), crashed[1].file.len());
    println!("  first progress, {MANY} / {FEW} steps: {}", progress[1].over(&progress[0]).show(""));
}

/// Lets an instance make its steps and takes the file from under it.
async fn crash_after(steps: u64) -> Crashed {
    let image = MemoryImage::new();
    let store = Arc::new(RedbStore::open_image(&image).expect("the store opens"));
    let gate = Arc::new(Gate::default());
    let engine = Engine::builder()
        .store(store.clone())
        .state_arc(gate.clone())
        .open()
        .await
        .expect("the engine opens");
    engine.start(ID, long(steps)).await.expect("it starts");
    gate.reached.notified().await;
    let file = image.snapshot();
    let instance = store.instance(Slot(0)).expect("the store reads").expect("it lives");
    engine.shutdown(Duration::ZERO).await.expect("the engine stops");
    Crashed { steps, file, row_bytes: instance.state.len() + instance.id.len() + instance.workflow.len() }
}

/// In microseconds.
struct Times {
    opened: f64,
    progress: f64,
    described: f64,
}

async fn resume(path: &Path, steps: u64) -> Times {
    let gate = Arc::new(Gate::default());
    gate.open.store(true, Ordering::Release);
    let started = Instant::now();
    let engine = Engine::builder().path(path).state_arc(gate.clone()).open().await.expect("the engine opens");
    let opened = started.elapsed();
    gate.reached.notified().await;
    let progress = started.elapsed();
    let handle = engine.handle(ID).of(long);
    let asked = Instant::now();
    handle.describe().await.expect("it is there");
    let described = asked.elapsed();
    assert_eq!(handle.result().await.expect("it ends"), steps);
    engine.shutdown(Duration::from_secs(1)).await.expect("the engine stops");
    Times { opened: micros(opened, 1), progress: micros(progress, 1), described: micros(described, 1) }
}
