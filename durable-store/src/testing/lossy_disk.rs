//! A disk that can lose power at any call.
//!
//! Every change is recorded. What a loss of power after any of them leaves is computed from the
//! record: all that was synced, and of the rest any part, by the sector. That covers reordering: a
//! write survives or not whatever becomes of the ones before it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use super::backend::{Call, Rule, RuledBackend};
use super::random::Rng;
use crate::MemoryImage;

/// What disks write in one piece.
const SECTOR: usize = 512;

/// A disk whose calls are recorded. Clones are the same disk.
///
/// ```
/// use durable_store::testing::LossyDisk;
/// use durable_store::{MemoryImage, Options, RedbStore};
///
/// # fn main() -> Result<(), durable_store::Error> {
/// let disk = LossyDisk::new();
/// let store = RedbStore::with_backend(disk.factory(), Options::default())?;
/// let trace = disk.trace();
/// for call in 0..=trace.calls() {
///     // The power fails after `call`; what is left is opened again.
///     let left = MemoryImage::from_bytes(trace.image_at(call, 42));
///     RedbStore::open_image(&left)?;
/// }
/// # drop(store);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct LossyDisk {
    image: MemoryImage,
    record: Arc<Mutex<Trace>>,
    lying: bool,
}

/// The record of a disk's calls.
#[derive(Clone, Debug)]
pub struct Trace {
    initial: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(u64, Arc<[u8]>),
    SetLen(u64),
    Sync,
    /// A sync that made nothing durable.
    Lie,
}

impl Default for LossyDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl LossyDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::from_bytes(Vec::new())
    }

    /// A disk on which these bytes are durable.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        let record = Trace { initial: bytes.clone(), changes: Vec::new() };
        Self { image: MemoryImage::from_bytes(bytes), record: Arc::new(Mutex::new(record)), lying: false }
    }

    /// The same disk with syncs that claim to have made the data durable and have not: what a
    /// harness must be able to notice.
    #[must_use]
    pub fn lying(self) -> Self {
        Self { lying: true, ..self }
    }

    /// Makes the backend for each opening of a store.
    pub fn factory(&self) -> impl Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync + use<> {
        let disk = self.clone();
        move || Ok(Box::new(RuledBackend::new(&disk.image, disk.clone())) as Box<dyn StorageBackend>)
    }

    /// How many changes were made so far, syncs included.
    pub fn calls(&self) -> usize {
        self.record().changes.len()
    }

    /// The record so far.
    pub fn trace(&self) -> Trace {
        self.record().clone()
    }

    /// Takes the disk away from whoever uses it, whose later calls fail.
    pub fn cut_off(&self) {
        self.image.cut_off();
    }

    fn record(&self) -> MutexGuard<'_, Trace> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule for LossyDisk {
    fn before(&self, call: &Call<'_>) -> io::Result<()> {
        let change = match call {
            Call::Len | Call::Read => return Ok(()),
            Call::Write(offset, data) => Change::Write(*offset, Arc::from(*data)),
            Call::SetLen(len) => Change::SetLen(*len),
            Call::Sync if self.lying => Change::Lie,
            Call::Sync => Change::Sync,
        };
        self.record().changes.push(change);
        Ok(())
    }
}

impl Trace {
    /// How many changes the record holds: a power loss can follow any of `0..=calls()`.
    pub fn calls(&self) -> usize {
        self.changes.len()
    }

    /// What the disk holds if the power fails after the first `calls` changes. The seed chooses
    /// what becomes of those that were not synced.
    ///
    /// # Panics
    /// If `calls` is more than [`calls`](Self::calls).
    pub fn image_at(&self, calls: usize, seed: u64) -> Vec<u8> {
        let changes = &self.changes[..calls];
        let synced = changes.iter().rposition(|change| matches!(change, Change::Sync)).map_or(0, |at| at + 1);
        let mut image = self.initial.clone();
        for change in &changes[..synced] {
            match change {
                Change::Write(offset, data) => write(&mut image, *offset as usize, data),
                Change::SetLen(len) => image.resize(*len as usize, 0),
                Change::Sync | Change::Lie => {}
            }
        }
        let mut rng = Rng::new(seed ^ (calls as u64) << 32);
        // Sometimes all or nothing of it: the extremes are the likely cases of real disks.
        let percent = [0, 10, 50, 90, 100][rng.below(5) as usize];
        for change in &changes[synced..] {
            match change {
                Change::Write(offset, data) => {
                    tear(&mut image, *offset as usize, data, percent, &mut rng);
                }
                Change::SetLen(len) if rng.chance(percent) => image.resize(*len as usize, 0),
                Change::SetLen(_) | Change::Sync | Change::Lie => {}
            }
        }
        image
    }
}

/// Writes what lies within the image: a write behind an end that was not moved is not to be seen.
fn write(image: &mut [u8], offset: usize, data: &[u8]) {
    let end = image.len().min(offset + data.len());
    if offset < end {
        image[offset..end].copy_from_slice(&data[..end - offset]);
    }
}

/// Writes some sectors of `data`, or all, or none.
fn tear(image: &mut [u8], offset: usize, data: &[u8], percent: u64, rng: &mut Rng) {
    let whole = rng.chance(60);
    let survives = rng.chance(percent);
    let mut at = 0;
    while at < data.len() {
        let end = data.len().min((offset + at) / SECTOR * SECTOR + SECTOR - offset);
        if if whole { survives } else { rng.chance(percent) } {
            write(image, offset + at, &data[at..end]);
        }
        at = end;
    }
}
