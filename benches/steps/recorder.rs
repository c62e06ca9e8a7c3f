//! A store that remembers what was committed, so that a bare redb can be made to commit the same.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use durable::store::{Batch, Change, Error, Layer, Options, RedbStore, Store};

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

fn row_len(change: &Change) -> Option<usize> {
    Some(match change {
        Change::Create(instance) | Change::Update { instance, .. } => {
            HEADER + instance.id.len() + instance.workflow.len() + instance.state.len()
        }
        Change::Keep => return None,
        Change::Close(closed) => HEADER + 8 + closed.id.len() + closed.workflow.len() + closed.state.len(),
    })
}

impl Layer for Recorder {
    fn beneath(&self) -> &dyn Store {
        &self.store
    }

    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        let rows = batch.transitions.iter().filter_map(|t| Some((t.slot.0, row_len(&t.change)?))).collect();
        let started = Instant::now();
        self.store.commit(batch)?;
        let took = started.elapsed();
        self.commits.lock().expect("no panic").push(Commit { rows, took });
        Ok(())
    }
}
