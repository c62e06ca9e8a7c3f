//! What several benchmarks need: a store that counts what is written, a place for files, and medians.

// Each benchmark takes what it needs of it.
#![allow(dead_code)]

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use durable::store::{
    Batch, Change, Error, KeyChange, Layer, OperationChange, Options, RedbStore, SnapshotChange, Store,
};

/// What was handed to a store.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Written {
    /// Of all rows, their keys not counted.
    pub(crate) bytes: u64,
    /// How often the record of an instance was written that was there before and after.
    pub(crate) records: u64,
    pub(crate) commits: u64,
}

/// A store in a file that counts what is written.
pub(crate) struct Counting {
    store: RedbStore,
    bytes: AtomicU64,
    records: AtomicU64,
    commits: AtomicU64,
}

impl Counting {
    /// A new file in place of whatever is there.
    pub(crate) fn create(path: &Path) -> Arc<Self> {
        let _ = std::fs::remove_file(path);
        let store = RedbStore::open_with(path, Options::default()).expect("the store opens");
        Arc::new(Counting { store, bytes: 0.into(), records: 0.into(), commits: 0.into() })
    }

    /// What was written since the last time.
    pub(crate) fn take(&self) -> Written {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        Written { bytes: take(&self.bytes), records: take(&self.records), commits: take(&self.commits) }
    }

    fn count(&self, batch: &Batch) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        for transition in &batch.transitions {
            let record = match &transition.change {
                Change::Create(instance) => instance.state.len(),
                Change::Update { instance, .. } => {
                    self.records.fetch_add(1, Ordering::Relaxed);
                    instance.state.len()
                }
                Change::Keep => 0,
                Change::Close(closed) => closed.state.len(),
            };
            let operations = transition.operations.iter().map(|change| match change {
                OperationChange::Put(_, row) => row.len(),
                OperationChange::Remove(_) => 0,
            });
            let keys = transition.keys.iter().map(|key| match key {
                KeyChange::Put(_, _, row) => row.len(),
            });
            let history = transition.history.iter().map(|(_, chunk)| chunk.len());
            let mail = transition.mail.iter().map(|mail| mail.bytes.len());
            let snapshots = transition.snapshots.iter().map(|change| match change {
                SnapshotChange::Put(_, row) => row.len(),
                SnapshotChange::Remove(_) => 0,
            });
            let beside: usize = operations.chain(keys).chain(history).chain(mail).chain(snapshots).sum();
            self.bytes.fetch_add((record + beside) as u64, Ordering::Relaxed);
        }
    }
}

impl Layer for Counting {
    fn beneath(&self) -> &dyn Store {
        &self.store
    }

    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        self.count(batch);
        self.store.commit(batch)
    }
}

/// Where a benchmark's files are; removed at its end.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the directory is made");
        Dir(path)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What each of many things cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) micros: f64,
    pub(crate) bytes: f64,
    pub(crate) records: f64,
}

impl Cost {
    pub(crate) fn of(count: u64, took: std::time::Duration, written: Written) -> Self {
        let each = |total: f64| total / count as f64;
        Cost {
            micros: each(took.as_secs_f64() * 1e6),
            bytes: each(written.bytes as f64),
            records: each(written.records as f64),
        }
    }
}

pub(crate) fn median(costs: &[Cost], of: fn(&Cost) -> f64) -> f64 {
    let mut values: Vec<_> = costs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Prints a line of a table of costs.
pub(crate) fn line(what: &str, costs: &[Cost]) {
    println!(
        "{what:>34} {:>10.1} us {:>8.0} bytes {:>8.3} records",
        median(costs, |cost| cost.micros),
        median(costs, |cost| cost.bytes),
        median(costs, |cost| cost.records),
    );
}

/// Prints how much more a thing costs where there are many of them.
pub(crate) fn ratio(what: &str, many: &[Cost], few: &[Cost]) {
    let ratio = |of: fn(&Cost) -> f64| median(many, of) / median(few, of);
    println!(
        "{what}: {:.2} times the time, {:.2} times the bytes",
        ratio(|cost| cost.micros),
        ratio(|cost| cost.bytes)
    );
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the runtime starts")
}
