//! The embedded store: one redb file.
//!
//! One module per matter: [`tables`] is what the file holds and [`row`] how, [`open`] and [`stage`]
//! accept or refuse a file, [`commit`] writes a batch, [`read`] answers questions, [`slots`] says
//! which slots are free, [`operations`] and [`mail`] what stands beside an instance, [`pieces`] large states, [`snapshots`] earlier ones of a run, [`room`] is what all of it takes, [`fault`] is what goes wrong. This one owns the open database, and keeps it
//! from being used after an error.
//!
//! Invariants:
//! - After an error that leaves a commit's outcome unknown nothing is answered until a reopening.
//! - No code of a caller runs inside a transaction: a batch is bytes.
//! - Locks are taken in the order `state`, `slots`.

mod backup;
mod commit;
mod fault;
mod mail;
mod open;
mod operations;
mod pieces;
mod poison;
mod read;
mod room;
mod row;
mod slots;
mod snapshots;
mod stage;
mod tables;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use redb::{Database, ReadTransaction, ReadableDatabase, StorageBackend};

use self::backup::Side;
use self::fault::{Fault, contained};
use self::open::{Handle, Opened, Source};
use self::poison::Poison;
use self::slots::{SEARCH_ROWS, Slots};
use self::stage::Control;
use crate::{
    Batch, Change, Closed, Compacted, DiskUsage, Error, Found, Instance, Mail, Mailbox, MemoryImage, Number,
    Operation, Slot, Store, Timer, Transition,
};

/// From how many puts on a commit saves what makes the next opening short (quick-repair).
///
/// It costs a second sync and the writing of the allocator's state, a fixed price which disappears
/// behind a thousand puts and would halve the rate of small commits. Small ones leave it to
/// [`Store::settle`].
const LARGE_BATCH: usize = 1000;

/// How a store is opened. Start from [`Options::default`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// How much memory is used for pages of the file, in bytes. Default: 128 MiB.
    pub cache_bytes: usize,
    /// Whether a commit syncs twice, which protects it against an attacker who chooses both what
    /// is stored and when the power fails. Default: no; one sync protects against a loss of power.
    pub two_phase: bool,
    /// Whether every commit saves what makes an opening after a crash as short as any, at the price of a second sync. Default: no; only
    /// large commits and a store at rest do, and after a crash amid small commits an opening reads the file once, about 4 ms per megabyte.
    pub quick_repair: bool,
    /// Whether every page is checked while opening, about 3 ms per megabyte. Default: no. Records
    /// are always checked when they are read; only this finds damage that makes one unfindable.
    pub verify: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 128 << 20, two_phase: false, quick_repair: false, verify: false }
    }
}

/// A store in a redb file.
pub struct RedbStore {
    source: Source,
    options: Options,
    /// Written only by a reopening.
    state: RwLock<State>,
    slots: Mutex<Slots>,
    poison: Poison,
}

struct State {
    /// `None` after a reopening that failed.
    db: Option<Handle>,
    /// The file that it is in.
    control: Control,
    epoch: u64,
    /// The next commit must write the epoch.
    epoch_due: AtomicBool,
    /// The last commit was made with quick-repair, so that nothing is to be settled.
    settled: AtomicBool,
}

impl std::fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedbStore").field("path", &self.path()).finish_non_exhaustive()
    }
}

impl RedbStore {
    /// Opens the store in a file with the default [`Options`], creating the file if it is missing.
    /// Its directory must exist. A file of no length counts as missing.
    ///
    /// # Errors
    /// [`Error::Locked`] if the file is open elsewhere, in this process included;
    /// [`Error::Foreign`], [`Error::Newer`] and [`Error::Damaged`] for a file that is not a sound
    /// store of this version or an earlier one, which is left byte for byte as it was;
    /// [`Error::Io`] if it can't be read and written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(path, Options::default())
    }

    /// Opens the store in a file. See [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Self, Error> {
        Self::from_source(Source::File(path.as_ref().to_owned()), options)
    }

    /// A store in memory, gone when it is dropped.
    pub fn in_memory() -> Result<Self, Error> {
        Self::open_image(&MemoryImage::new())
    }

    /// Opens the store in an image. Its bytes outlive the store.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_image(image: &MemoryImage) -> Result<Self, Error> {
        Self::open_image_with(image, Options::default())
    }

    /// Opens the store in an image. See [`open_image`](Self::open_image).
    pub fn open_image_with(image: &MemoryImage, options: Options) -> Result<Self, Error> {
        let image = image.clone();
        Self::with_backend(move || Ok(Box::new(image.backend())), options)
    }

    /// Opens the store over a backend of redb. `factory` makes one for each opening and reopening,
    /// and all of them must show the same bytes.
    pub fn with_backend(
        factory: impl Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync + 'static,
        options: Options,
    ) -> Result<Self, Error> {
        Self::from_source(Source::Backend(Box::new(factory)), options)
    }

    /// The file, or `(memory)`.
    pub fn path(&self) -> &Path {
        self.source.path()
    }

    fn from_source(source: Source, options: Options) -> Result<Self, Error> {
        let opened = open::open(&source, &options)?;
        let (state, slots) = State::of(opened);
        Ok(Self {
            source,
            options,
            state: RwLock::new(state),
            slots: Mutex::new(slots),
            poison: Poison::default(),
        })
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The database, unless an error has stopped it.
    fn db<'a>(&self, state: &'a State) -> Result<&'a Database, Error> {
        match &state.db {
            Some(db) if !self.poison.is_set() => Ok(db),
            _ => Err(Error::Poisoned { reason: self.poison.reason() }),
        }
    }

    /// Answers a question in a read transaction.
    fn read<T>(&self, ask: impl FnOnce(&ReadTransaction) -> Result<T, Fault>) -> Result<T, Error> {
        self.read_in(&self.state(), ask)
    }

    fn read_in<T>(
        &self,
        state: &State,
        ask: impl FnOnce(&ReadTransaction) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let db = self.db(state)?;
        contained(|| ask(&db.begin_read()?)).map_err(|fault| {
            let stops = fault.stops_reading();
            self.failed(fault, stops)
        })
    }

    /// Commits one transaction. `fill` says how many rows it has put.
    fn write(
        &self,
        state: &State,
        quick_repair: bool,
        fill: impl FnOnce(&redb::WriteTransaction) -> Result<usize, Fault>,
    ) -> Result<(), Error> {
        let db = self.db(state)?;
        let epoch_due = state.epoch_due.load(Ordering::Acquire);
        let committed = contained(|| {
            // While somebody reads what was there before, redb leaves the pages that this commit frees to the next one, which frees them
            // on its way. With nobody it follows each commit up with a second transaction that does it at once, for a quarter of a
            // small commit's processor time.
            let before = db.begin_read()?;
            let mut txn = db.begin_write()?;
            txn.set_two_phase_commit(self.options.two_phase);
            // Dropping the transaction on the way out of an error aborts it.
            let quick_repair = fill(&txn)? >= LARGE_BATCH || quick_repair || self.options.quick_repair;
            txn.set_quick_repair(quick_repair);
            if epoch_due {
                open::write_epoch(&txn, state.epoch)?;
            }
            txn.commit()?;
            drop(before);
            Ok(quick_repair)
        });
        let quick_repair = committed.map_err(|fault| {
            let stops = fault.stops_writing();
            self.failed(fault, stops)
        })?;
        if epoch_due {
            state.epoch_due.store(false, Ordering::Release);
        }
        state.settled.store(quick_repair, Ordering::Release);
        Ok(())
    }

    /// How long the file is.
    fn file_bytes(&self, state: &State) -> Result<u64, Error> {
        state.control.len().map_err(|source| Error::Io { path: self.path().to_owned(), source })
    }

    /// The error as the caller sees it; from here on the store answers nothing if `stops`.
    fn failed(&self, fault: Fault, stops: bool) -> Error {
        let error = fault.on(self.path());
        if stops {
            self.poison.set(&error);
        }
        match error {
            // What came first is what the caller wants to know.
            Error::Poisoned { .. } if self.poison.is_set() => {
                Error::Poisoned { reason: self.poison.reason() }
            }
            error => error,
        }
    }
}

impl State {
    fn of(opened: Opened) -> (Self, Slots) {
        let state = Self {
            db: Some(opened.db),
            control: opened.control,
            epoch: opened.epoch,
            epoch_due: AtomicBool::new(opened.epoch_due),
            settled: AtomicBool::new(!opened.epoch_due),
        };
        (state, opened.slots)
    }
}

/// About how many rows a batch touches.
fn size(batch: &Batch) -> usize {
    let beside = |transition: &Transition| {
        transition.operations.len()
            + transition.taken.len()
            + transition.mail.len()
            + transition.keys.len()
            + transition.snapshots.len()
    };
    let beside: usize = batch.transitions.iter().map(beside).sum();
    batch.transitions.len() + beside + batch.expired.len()
}

fn is_empty(batch: &Batch) -> bool {
    batch.transitions.is_empty()
        && batch.layouts.is_empty()
        && batch.programs.is_empty()
        && batch.expired.is_empty()
}

impl Store for RedbStore {
    /// A crash inside leaves the state before the batch, or after it if the sync was done.
    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        let state = self.state();
        self.db(&state)?;
        if is_empty(batch) {
            return Ok(());
        }
        let mut created = Vec::new();
        let mut closed = Vec::new();
        for transition in &batch.transitions {
            match transition.change {
                Change::Create(_) => created.push(transition.slot),
                Change::Update { .. } | Change::Keep => {}
                Change::Close(_) => closed.push(transition.slot),
            }
        }
        if !closed.is_empty() {
            let slots = self.slots();
            closed.retain(|slot| slots.may_give_back(*slot));
        }
        let large = pieces::cut_large(batch);
        self.write(&state, false, |txn| Ok(size(batch) + commit::apply(txn, batch, &large)?))?;
        if !created.is_empty() || !closed.is_empty() {
            let mut slots = self.slots();
            for slot in created {
                slots.created(slot);
            }
            for slot in closed {
                slots.closed(slot);
            }
        }
        Ok(())
    }

    fn allocate(&self) -> Result<Slot, Error> {
        let state = self.state();
        self.db(&state)?;
        let mut slots = self.slots();
        if let Some(slot) = slots.take_free() {
            return Ok(slot);
        }
        if let Some(unsearched) = slots.unsearched() {
            let used = self.read_in(&state, |txn| read::used_slots(txn, unsearched, SEARCH_ROWS))?;
            slots.found_used(&used, used.len() < SEARCH_ROWS);
            if let Some(slot) = slots.take_free() {
                return Ok(slot);
            }
        }
        Ok(slots.take_new())
    }

    fn release(&self, slot: Slot) {
        self.slots().give_back(slot);
    }

    fn epoch(&self) -> u64 {
        self.state().epoch
    }

    fn find(&self, id: &str) -> Result<Option<Found>, Error> {
        self.read(|txn| read::find(txn, id))
    }

    fn instance(&self, slot: Slot) -> Result<Option<Instance>, Error> {
        self.read(|txn| Ok(read::instances(txn, &[slot])?.pop().flatten()))
    }

    fn instances(&self, slots: &[Slot]) -> Result<Vec<Option<Instance>>, Error> {
        self.read(|txn| read::instances(txn, slots))
    }

    fn scan(&self, after: Option<Slot>, limit: usize) -> Result<Vec<(Slot, Instance)>, Error> {
        self.read(|txn| read::scan(txn, after, limit))
    }

    fn active(&self, after: Option<Slot>, limit: usize) -> Result<Vec<Slot>, Error> {
        self.read(|txn| read::active(txn, after, limit))
    }

    fn closed(&self, number: Number) -> Result<Option<Closed>, Error> {
        self.read(|txn| read::closed(txn, number))
    }

    fn scan_closed(&self, after: Option<Number>, limit: usize) -> Result<Vec<Closed>, Error> {
        self.read(|txn| read::scan_closed(txn, after, limit))
    }

    fn timers(&self, after: Option<Timer>, until_ms: u64, limit: usize) -> Result<Vec<Timer>, Error> {
        self.read(|txn| read::timers(txn, after, until_ms, limit))
    }

    fn owner(&self, slot: Slot) -> Result<Option<Number>, Error> {
        self.read(|txn| read::owner(txn, slot))
    }

    fn operations(&self, slot: Slot) -> Result<Vec<Operation>, Error> {
        self.read(|txn| operations::all(txn, slot))
    }

    fn operation(&self, slot: Slot, operation: u64) -> Result<Option<Vec<u8>>, Error> {
        self.read(|txn| operations::one(txn, slot, operation))
    }

    fn mailbox(&self, slot: Slot) -> Result<Option<Mailbox>, Error> {
        self.read(|txn| mail::mailbox(txn, slot))
    }

    fn mailboxes(&self, after: Option<Slot>, limit: usize) -> Result<Vec<(Slot, Mailbox)>, Error> {
        self.read(|txn| mail::mailboxes(txn, after, limit))
    }

    fn mail(&self, slot: Slot, queue: u64, after: Option<u64>, limit: usize) -> Result<Vec<Mail>, Error> {
        self.read(|txn| mail::mail(txn, slot, queue, after, limit))
    }

    fn key(&self, number: Number, key: &[u8; 16]) -> Result<Option<Vec<u8>>, Error> {
        self.read(|txn| read::key(txn, number, key))
    }

    fn history(&self, number: Number) -> Result<Vec<(u32, Vec<u8>)>, Error> {
        self.read(|txn| read::history(txn, number))
    }

    fn snapshots(&self, number: Number) -> Result<Vec<u32>, Error> {
        self.read(|txn| snapshots::places(txn, number))
    }

    fn snapshot(&self, number: Number, place: u32) -> Result<Option<Vec<u8>>, Error> {
        self.read(|txn| snapshots::one(txn, number, place))
    }

    fn layout(&self, id: u64) -> Result<Option<Vec<u8>>, Error> {
        self.read(|txn| read::layout(txn, id))
    }

    fn program(&self, build: u64) -> Result<Option<Vec<u8>>, Error> {
        self.read(|txn| read::program(txn, build))
    }

    fn backup(&self, to: &Path) -> Result<(), Error> {
        self.read(|txn| match backup::copy(txn, to) {
            Ok(()) => Ok(Ok(())),
            // The store is none the worse for it.
            Err(Side::Copy(error)) => Ok(Err(error)),
            Err(Side::Store(fault)) => Err(fault),
        })?
    }

    fn usage(&self) -> Result<DiskUsage, Error> {
        let state = self.state();
        let file_bytes = self.file_bytes(&state)?;
        self.read_in(&state, |txn| room::usage(txn, file_bytes))
    }

    /// A crash inside leaves the same contents in a file of some length between the two.
    fn compact(&self) -> Result<Compacted, Error> {
        // Nobody else has a transaction: whoever begins one holds the lock for reading.
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        self.db(&state)?;
        let before = self.file_bytes(&state)?;
        state.settled.store(false, Ordering::Release);
        let compacted = contained(|| match &mut state.db {
            Some(db) => Ok(db.compact()?),
            None => Ok(false),
        });
        compacted.map_err(|fault| {
            let stops = fault.stops_writing();
            self.failed(fault, stops)
        })?;
        // So that the next opening has nothing to repair, whoever closes the file and how.
        self.write(&state, true, |_| Ok(0))?;
        Ok(Compacted::new(before, self.file_bytes(&state)?))
    }

    /// Commits nothing, with quick-repair, unless the last commit had it.
    fn settle(&self) -> Result<(), Error> {
        let state = self.state();
        self.db(&state)?;
        if state.settled.load(Ordering::Acquire) {
            return Ok(());
        }
        self.write(&state, true, |_| Ok(0))
    }

    fn reopen(&self) -> Result<(), Error> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        // Closed before it is opened again: a file has one owner.
        state.db = None;
        match open::open_again(&self.source, &self.options) {
            Ok(opened) => {
                let (opened, slots) = State::of(opened);
                *state = opened;
                *self.slots() = slots;
                self.poison.clear();
                Ok(())
            }
            Err(error) => {
                self.poison.set(&error);
                Err(error)
            }
        }
    }

    fn close(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        self.poison.set_reason("it has been closed".to_owned());
        state.db = None;
    }
}
