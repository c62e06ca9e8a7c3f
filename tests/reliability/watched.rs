//! A store with somebody between it and the engine: who sees every commit, and may cheat.

use std::sync::Arc;

use durable::store::{Batch, Closed, Error, Found, Instance, Number, RedbStore, Slot, Store, Timer};

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

impl<F> Store for Watched<F>
where
    F: Fn(&RedbStore, &Batch) -> Result<(), Error> + Send + Sync + 'static,
{
    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        (self.commit)(&self.store, batch)
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

    fn reopen(&self) -> Result<(), Error> {
        self.store.reopen()
    }

    fn close(&self) {
        self.store.close();
    }
}
