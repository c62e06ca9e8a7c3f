//! A store with somebody between it and the engine: who sees every commit, and may cheat.

use std::sync::Arc;

use durable::store::{Batch, Error, Layer, RedbStore, Store};

/// A store whose commits are made by a function. Everything else is the store's own.
pub(crate) struct Watched<F> {
    store: RedbStore,
    commit: F,
}

impl<F> Watched<F>
where
    F: Fn(&RedbStore, &Batch) -> Result<(), Error> + Send + Sync + 'static,
{
    pub(crate) fn new(store: RedbStore, commit: F) -> Arc<Self> {
        Arc::new(Watched { store, commit })
    }
}

impl<F> Layer for Watched<F>
where
    F: Fn(&RedbStore, &Batch) -> Result<(), Error> + Send + Sync + 'static,
{
    fn beneath(&self) -> &dyn Store {
        &self.store
    }

    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        (self.commit)(&self.store, batch)
    }
}
