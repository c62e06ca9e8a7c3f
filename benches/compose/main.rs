//! What an activity costs in a join of ten and in a join of ten thousand: time and bytes written.
//!
//! `cargo bench --bench compose`
//!
//! Both run in turns in one run, on one disk; a join of ten is repeated until it has made as many activities. The activities do
//! nothing, so all that is measured is the engine. The bytes are those of the rows that are handed to the store.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use durable::{
    Engine,
    prelude::*,
    store::{Batch, Change, Error as StoreError, Layer, OperationChange, Options, RedbStore, Store},
};

#[activity]
async fn double(n: u64) -> u64 {
    n * 2
}

#[workflow]
async fn doubles(count: u64) -> u64 {
    let calls: Vec<_> = (0..count).map(|n| double(n)).collect();
    calls.join().await.iter().sum()
}

const ROUNDS: usize = 5;
const MANY: u64 = 10_000;
const FEW: u64 = 10;

/// A store in a file that counts what is written.
struct Counting {
    store: RedbStore,
    bytes: AtomicU64,
    records: AtomicU64,
}

impl Layer for Counting {
    fn beneath(&self) -> &dyn Store {
        &self.store
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        for transition in &batch.transitions {
            let mut bytes = match &transition.change {
                Change::Create(instance) => instance.state.len(),
                Change::Update { instance, .. } => {
                    self.records.fetch_add(1, Ordering::Relaxed);
                    instance.state.len()
                }
                Change::Keep => 0,
                Change::Close(closed) => closed.state.len(),
            };
            for change in &transition.operations {
                bytes += match change {
                    OperationChange::Put(_, row) => row.len(),
                    OperationChange::Remove(_) => 0,
                };
            }
            bytes += transition.history.iter().map(|(_, chunk)| chunk.len()).sum::<usize>();
            self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
        self.store.commit(batch)
    }
}

/// What one activity cost.
#[derive(Clone, Copy)]
struct Cost {
    micros: f64,
    bytes: f64,
    /// Of instances, per join.
    records: f64,
}

async fn measure(path: &Path, count: u64, joins: u64) -> Cost {
    let _ = std::fs::remove_file(path);
    let store = Arc::new(Counting {
        store: RedbStore::open_with(path, Options::default()).expect("the store opens"),
        bytes: AtomicU64::new(0),
        records: AtomicU64::new(0),
    });
    let engine = Engine::builder().store(store.clone()).open().await.expect("the engine opens");
    let began = Instant::now();
    for _ in 0..joins {
        let sum = engine.run(doubles(count)).await.expect("it ends");
        assert_eq!(sum, count * (count - 1));
    }
    let took = began.elapsed();
    engine.shutdown(Duration::from_secs(10)).await.expect("it stops");
    let activities = (count * joins) as f64;
    Cost {
        micros: took.as_secs_f64() * 1e6 / activities,
        bytes: store.bytes.load(Ordering::Relaxed) as f64 / activities,
        records: store.records.load(Ordering::Relaxed) as f64 / joins as f64,
    }
}

fn median(costs: &[Cost], of: fn(&Cost) -> f64) -> f64 {
    let mut values: Vec<_> = costs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the runtime starts");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("compose-{}.redb", std::process::id()));
    let (mut few, mut many) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        few.push(runtime.block_on(measure(&path, FEW, 100)));
        many.push(runtime.block_on(measure(&path, MANY, 1)));
    }
    let _ = std::fs::remove_file(&path);
    println!("medians of {ROUNDS} rounds, per activity of a join");
    println!("{:>12} {:>12} {:>12} {:>26}", "activities", "us", "bytes", "records written per join");
    for (count, costs) in [(FEW, &few), (MANY, &many)] {
        println!(
            "{count:>12} {:>12.1} {:>12.0} {:>26.0}",
            median(costs, |cost| cost.micros),
            median(costs, |cost| cost.bytes),
            median(costs, |cost| cost.records)
        );
    }
    let ratio = |of: fn(&Cost) -> f64| median(&many, of) / median(&few, of);
    println!(
        "{MANY} against {FEW}: {:.2} times the time, {:.2} times the bytes",
        ratio(|cost| cost.micros),
        ratio(|cost| cost.bytes)
    );
}
