//! The interface between the engine and what is on disk.

use crate::{
    Batch, Closed, Compacted, DiskUsage, Error, Found, Instance, Mail, Mailbox, Number, Operation, Slot,
    Timer,
};

/// A store of instances. Calls block; they are safe from any thread.
///
/// Commits are atomic and durable: when [`commit`](Store::commit) returns `Ok`, the whole batch
/// survives a loss of power; when it returns an error, the outcome is unknown until the store was
/// reopened, and until then every call answers [`Error::Poisoned`]. Two errors are not of that kind:
/// after [`Error::Conflict`] and [`Error::DamagedRecord`] nothing was written and the store goes on.
///
/// A damaged record ([`Error::DamagedRecord`]) harms only readings of itself. A scan stops in front
/// of it; the scan that would begin with it answers with the error, which names the record, and the
/// next one begins after it.
pub trait Store: Send + Sync + 'static {
    /// Commits a batch in one transaction.
    fn commit(&self, batch: &Batch) -> Result<(), Error>;

    /// A slot that no live instance uses and that no other call has been given since the store
    /// was opened. A slot that was allocated and never committed is free again after a reopening.
    fn allocate(&self) -> Result<Slot, Error>;

    /// Gives back a slot that was allocated and will not be committed. One that was allocated
    /// before the last reopening is free already, and giving it back does nothing.
    fn release(&self, slot: Slot);

    /// How often this store has been opened, this time included. Durable before the store is
    /// handed out, so that numbers made from it are never made again.
    fn epoch(&self) -> u64;

    /// What stands under `id`.
    fn find(&self, id: &str) -> Result<Option<Found>, Error>;

    /// The live instance in `slot`.
    fn instance(&self, slot: Slot) -> Result<Option<Instance>, Error>;

    /// The live instances in `slots`, in one read, in the order asked. A reading of large states ends sooner, after one at least:
    /// whoever gets fewer than it has asked for asks again for the rest.
    fn instances(&self, slots: &[Slot]) -> Result<Vec<Option<Instance>>, Error>;

    /// Live instances in order of slot, after `after`, at most `limit`. A page of large states ends sooner; the last one is empty.
    fn scan(&self, after: Option<Slot>, limit: usize) -> Result<Vec<(Slot, Instance)>, Error>;

    /// Slots of active instances in order, after `after`, at most `limit`.
    fn active(&self, after: Option<Slot>, limit: usize) -> Result<Vec<Slot>, Error>;

    /// A retained closed instance.
    fn closed(&self, number: Number) -> Result<Option<Closed>, Error>;

    /// Retained closed instances in order of number, after `after`, at most `limit`. A page of large records ends sooner; the last one is empty.
    fn scan_closed(&self, after: Option<Number>, limit: usize) -> Result<Vec<Closed>, Error>;

    /// The earliest timers with a deadline up to and including `until_ms`, after `after`, at most
    /// `limit`, in order of deadline.
    fn timers(&self, after: Option<Timer>, until_ms: u64, limit: usize) -> Result<Vec<Timer>, Error>;

    /// The run in `slot`: what [`instance`](Store::instance) says of it, without a copy of its state.
    fn owner(&self, slot: Slot) -> Result<Option<Number>, Error>;

    /// The operations that stand beside the live instance in `slot`, in order of their number.
    fn operations(&self, slot: Slot) -> Result<Vec<Operation>, Error>;

    /// One of them.
    fn operation(&self, slot: Slot, operation: u64) -> Result<Option<Vec<u8>>, Error>;

    /// How much mail waits for the live instance in `slot`; `None` if none does.
    fn mailbox(&self, slot: Slot) -> Result<Option<Mailbox>, Error>;

    /// The slots for which mail waits, in order, after `after`, at most `limit`.
    fn mailboxes(&self, after: Option<Slot>, limit: usize) -> Result<Vec<(Slot, Mailbox)>, Error>;

    /// The messages in a queue in order of place, after the place `after`, at most `limit`.
    fn mail(&self, slot: Slot, queue: u64, after: Option<u64>, limit: usize) -> Result<Vec<Mail>, Error>;

    /// What is remembered under a key of a run.
    fn key(&self, number: Number, key: &[u8; 16]) -> Result<Option<Vec<u8>>, Error>;

    /// The chunks of an instance's history, in order of chunk number.
    fn history(&self, number: Number) -> Result<Vec<(u32, Vec<u8>)>, Error>;

    /// The places of the snapshots that are kept of a run, in order.
    fn snapshots(&self, number: Number) -> Result<Vec<u32>, Error>;

    /// One of them.
    fn snapshot(&self, number: Number, place: u32) -> Result<Option<Vec<u8>>, Error>;

    /// A layout.
    fn layout(&self, id: u64) -> Result<Option<Vec<u8>>, Error>;

    /// A program.
    fn program(&self, build: u64) -> Result<Option<Vec<u8>>, Error>;

    /// Writes what is committed now into a new file that can be opened as a store, while this one goes on. The file is there
    /// when it is whole and synced; one that is there already is an error, and stays. An error of the new file does not stop
    /// this store.
    fn backup(&self, to: &std::path::Path) -> Result<(), Error>;

    /// How much room the store takes, and what of. It reads everything that is stored once; others go on meanwhile.
    fn usage(&self) -> Result<DiskUsage, Error>;

    /// Gives free room back to the file system. Whoever else asks something or commits waits until it is done.
    fn compact(&self) -> Result<Compacted, Error>;

    /// Called when the engine has been idle for a moment, and at a clean stop: whatever makes the
    /// next opening cheap.
    fn settle(&self) -> Result<(), Error>;

    /// Opens the store again after [`Error::Poisoned`]. What is read afterwards is what is durable.
    fn reopen(&self) -> Result<(), Error>;

    /// Closes the store, so that its file is free even while somebody still holds this value. Every
    /// later call but [`reopen`](Store::reopen) answers [`Error::Poisoned`].
    fn close(&self);
}
