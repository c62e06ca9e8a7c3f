//! A store that remembers what was committed, so that a bare redb can be made to commit the same.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use durable::store::{
    Batch, Change, Closed, Error, Found, Instance, Number, Options, RedbStore, Slot, Store, Timer,
};

/// What one commit wrote: the slot and the size of each row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Commit {
    pub(crate) rows: Vec<(u64, usize)>,
    pub(crate) took: Duration,
}

/// A store in a file that remembers its commits.
pub(crate) struct Recorder {
    store: RedbStore,
    commits: Mutex<Vec<Commit>>,
}

impl Recorder {
    pub(crate) fn open(path: &std::path::Path) -> Arc<Self> {
        let store = RedbStore::open_with(path, Options::default()).expect("the store opens");
        Arc::new(Recorder { store, commits: Mutex::default() })
    }

    /// The commits since the last time.
    pub(crate) fn take(&self) -> Vec<Commit> {
        std::mem::take(&mut *self.commits.lock().expect("no panic"))
    }
}

/// The bytes of a row besides texts and state: checksum, number, times, flags and lengths.
const HEADER: usize = 8 + 8 + 8 + 2 + 4;

fn row_len(change: &Change) -> usize {
    match change {
        Change::Create(instance) | Change::Update { instance, .. } => {
            HEADER + instance.id.len() + instance.workflow.len() + instance.state.len()
        }
        Change::Close(closed) => HEADER + 8 + closed.id.len() + closed.workflow.len() + closed.state.len(),
    }
}

impl Store for Recorder {
    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        let rows = batch.transitions.iter().map(|t| (t.slot.0, row_len(&t.change))).collect();
        let started = Instant::now();
        self.store.commit(batch)?;
        let took = started.elapsed();
        self.commits.lock().expect("no panic").push(Commit { rows, took });
        Ok(())
    }
    fn allocate(&self) -> Result<Slot, Error> {
        self.store.allocate()
    }
    fn release(&self, slot: Slot) {
        self.store.release(slot);
    }
    fn epoch(&self) -> u64 {
        self.store.epoch()
    }
    fn find(&self, id: &str) -> Result<Option<Found>, Error> {
        self.store.find(id)
    }
    fn instance(&self, slot: Slot) -> Result<Option<Instance>, Error> {
        self.store.instance(slot)
    }
    fn instances(&self, slots: &[Slot]) -> Result<Vec<Option<Instance>>, Error> {
        self.store.instances(slots)
    }
    fn scan(&self, after: Option<Slot>, limit: usize) -> Result<Vec<(Slot, Instance)>, Error> {
        self.store.scan(after, limit)
    }
    fn active(&self, after: Option<Slot>, limit: usize) -> Result<Vec<Slot>, Error> {
        self.store.active(after, limit)
    }
    fn closed(&self, number: Number) -> Result<Option<Closed>, Error> {
        self.store.closed(number)
    }
    fn scan_closed(&self, after: Option<Number>, limit: usize) -> Result<Vec<Closed>, Error> {
        self.store.scan_closed(after, limit)
    }
    fn timers(&self, after: Option<Timer>, until_ms: u64, limit: usize) -> Result<Vec<Timer>, Error> {
        self.store.timers(after, until_ms, limit)
    }
    fn history(&self, number: Number) -> Result<Vec<(u32, Vec<u8>)>, Error> {
        self.store.history(number)
    }
    fn layout(&self, id: u64) -> Result<Option<Vec<u8>>, Error> {
        self.store.layout(id)
    }
    fn program(&self, build: u64) -> Result<Option<Vec<u8>>, Error> {
        self.store.program(build)
    }
    fn settle(&self) -> Result<(), Error> {
        self.store.settle()
    }
    fn close(&self) {
        self.store.close();
    }
    fn reopen(&self) -> Result<(), Error> {
        self.store.reopen()
    }
}
