//! A store on top of another, which sees what passes: to measure, to count, to fail on purpose.

use crate::{
    Batch, Closed, Compacted, DiskUsage, Error, Found, Instance, Mail, Mailbox, Number, Operation, Slot,
    Store, Timer,
};

/// A [`Store`] that passes everything on to the one beneath it, except what it does itself.
///
/// ```
/// use durable_store::{Batch, Error, Layer, MemoryImage, RedbStore, Store};
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// /// Counts commits.
/// struct Counted(RedbStore, AtomicU64);
///
/// impl Layer for Counted {
///     fn beneath(&self) -> &dyn Store {
///         &self.0
///     }
///     fn commit(&self, batch: &Batch) -> Result<(), Error> {
///         self.1.fetch_add(1, Ordering::Relaxed);
///         self.0.commit(batch)
///     }
/// }
///
/// let store = Counted(RedbStore::open_image(&MemoryImage::new())?, AtomicU64::new(0));
/// Store::commit(&store, &Batch::default())?;
/// assert_eq!(store.1.into_inner(), 1);
/// # Ok::<(), Error>(())
/// ```
pub trait Layer: Send + Sync + 'static {
    /// The store that does the work.
    fn beneath(&self) -> &dyn Store;

    /// Called before every reading and before `settle`; an error is the answer in their place.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Called before an instance is read.
    fn check_slot(&self, _: Slot) -> Result<(), Error> {
        self.check()
    }

    /// Commits a batch.
    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        self.beneath().commit(batch)
    }

    /// Opens the store again.
    fn reopen(&self) -> Result<(), Error> {
        self.beneath().reopen()
    }
}

impl<L: Layer> Store for L {
    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        Layer::commit(self, batch)
    }

    fn allocate(&self) -> Result<Slot, Error> {
        self.check()?;
        self.beneath().allocate()
    }

    fn release(&self, slot: Slot) {
        self.beneath().release(slot);
    }

    fn epoch(&self) -> u64 {
        self.beneath().epoch()
    }

    fn find(&self, id: &str) -> Result<Option<Found>, Error> {
        self.check()?;
        self.beneath().find(id)
    }

    fn instance(&self, slot: Slot) -> Result<Option<Instance>, Error> {
        self.check_slot(slot)?;
        self.beneath().instance(slot)
    }

    fn instances(&self, slots: &[Slot]) -> Result<Vec<Option<Instance>>, Error> {
        slots.iter().try_for_each(|slot| self.check_slot(*slot))?;
        self.beneath().instances(slots)
    }

    fn scan(&self, after: Option<Slot>, limit: usize) -> Result<Vec<(Slot, Instance)>, Error> {
        self.check()?;
        self.beneath().scan(after, limit)
    }

    fn active(&self, after: Option<Slot>, limit: usize) -> Result<Vec<Slot>, Error> {
        self.check()?;
        self.beneath().active(after, limit)
    }

    fn closed(&self, number: Number) -> Result<Option<Closed>, Error> {
        self.check()?;
        self.beneath().closed(number)
    }

    fn scan_closed(&self, after: Option<Number>, limit: usize) -> Result<Vec<Closed>, Error> {
        self.check()?;
        self.beneath().scan_closed(after, limit)
    }

    fn timers(&self, after: Option<Timer>, until_ms: u64, limit: usize) -> Result<Vec<Timer>, Error> {
        self.check()?;
        self.beneath().timers(after, until_ms, limit)
    }

    fn owner(&self, slot: Slot) -> Result<Option<Number>, Error> {
        self.check_slot(slot)?;
        self.beneath().owner(slot)
    }

    fn operations(&self, slot: Slot) -> Result<Vec<Operation>, Error> {
        self.check()?;
        self.beneath().operations(slot)
    }

    fn operation(&self, slot: Slot, operation: u64) -> Result<Option<Vec<u8>>, Error> {
        self.check()?;
        self.beneath().operation(slot, operation)
    }

    fn mailbox(&self, slot: Slot) -> Result<Option<Mailbox>, Error> {
        self.check()?;
        self.beneath().mailbox(slot)
    }

    fn mailboxes(&self, after: Option<Slot>, limit: usize) -> Result<Vec<(Slot, Mailbox)>, Error> {
        self.check()?;
        self.beneath().mailboxes(after, limit)
    }

    fn mail(&self, slot: Slot, queue: u64, after: Option<u64>, limit: usize) -> Result<Vec<Mail>, Error> {
        self.check()?;
        self.beneath().mail(slot, queue, after, limit)
    }

    fn key(&self, number: Number, key: &[u8; 16]) -> Result<Option<Vec<u8>>, Error> {
        self.check()?;
        self.beneath().key(number, key)
    }

    fn history(&self, number: Number) -> Result<Vec<(u32, Vec<u8>)>, Error> {
        self.check()?;
        self.beneath().history(number)
    }

    fn snapshots(&self, number: Number) -> Result<Vec<u32>, Error> {
        self.check()?;
        self.beneath().snapshots(number)
    }

    fn snapshot(&self, number: Number, place: u32) -> Result<Option<Vec<u8>>, Error> {
        self.check()?;
        self.beneath().snapshot(number, place)
    }

    fn layout(&self, id: u64) -> Result<Option<Vec<u8>>, Error> {
        self.check()?;
        self.beneath().layout(id)
    }

    fn program(&self, build: u64) -> Result<Option<Vec<u8>>, Error> {
        self.check()?;
        self.beneath().program(build)
    }

    fn backup(&self, to: &std::path::Path) -> Result<(), Error> {
        self.check()?;
        self.beneath().backup(to)
    }

    fn usage(&self) -> Result<DiskUsage, Error> {
        self.check()?;
        self.beneath().usage()
    }

    fn compact(&self) -> Result<Compacted, Error> {
        self.check()?;
        self.beneath().compact()
    }

    fn settle(&self) -> Result<(), Error> {
        self.check()?;
        self.beneath().settle()
    }

    fn reopen(&self) -> Result<(), Error> {
        Layer::reopen(self)
    }

    fn close(&self) {
        self.beneath().close();
    }
}
