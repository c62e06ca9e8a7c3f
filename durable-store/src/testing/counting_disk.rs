//! A disk that counts: what a store reads and writes does not depend on the machine, as its time does.

use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::{BackendError, StorageBackend, backends::FileBackend};

use crate::MemoryImage;

/// A disk that counts the calls of a store and their bytes. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct CountingDisk {
    medium: Medium,
    counted: Arc<Counters>,
}

#[derive(Clone, Debug)]
enum Medium {
    Memory(MemoryImage),
    File(PathBuf),
}

#[derive(Debug, Default)]
struct Counters {
    reads: AtomicU64,
    read_bytes: AtomicU64,
    writes: AtomicU64,
    written_bytes: AtomicU64,
    syncs: AtomicU64,
}

/// What a [`CountingDisk`] has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that read.
    pub reads: u64,
    /// What they have read, in bytes.
    pub read_bytes: u64,
    /// Calls that write.
    pub writes: u64,
    /// What they have written, in bytes.
    pub written_bytes: u64,
    /// Calls that wait for what was written.
    pub syncs: u64,
}

impl std::ops::Sub for Counts {
    type Output = Self;

    /// What was counted since `earlier`.
    fn sub(self, earlier: Self) -> Self {
        Self {
            reads: self.reads - earlier.reads,
            read_bytes: self.read_bytes - earlier.read_bytes,
            writes: self.writes - earlier.writes,
            written_bytes: self.written_bytes - earlier.written_bytes,
            syncs: self.syncs - earlier.syncs,
        }
    }
}

impl CountingDisk {
    /// A disk in memory.
    pub fn new(image: &MemoryImage) -> Self {
        Self { medium: Medium::Memory(image.clone()), counted: Arc::default() }
    }

    /// The disk on which a file is, or will be.
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self { medium: Medium::File(path.as_ref().to_owned()), counted: Arc::default() }
    }

    /// Makes the backend for each opening of a store.
    pub fn factory(&self) -> impl Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync + use<> {
        let disk = self.clone();
        move || {
            let medium: Box<dyn StorageBackend> = match &disk.medium {
                Medium::Memory(image) => Box::new(image.backend()),
                Medium::File(path) => {
                    let mut options = std::fs::OpenOptions::new();
                    let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
                    Box::new(FileBackend::new(file).map_err(io::Error::other)?)
                }
            };
            Ok(Box::new(Counting { medium, counted: disk.counted.clone() }) as Box<dyn StorageBackend>)
        }
    }

    /// What was counted so far, over all openings.
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            reads: read(&self.counted.reads),
            read_bytes: read(&self.counted.read_bytes),
            writes: read(&self.counted.writes),
            written_bytes: read(&self.counted.written_bytes),
            syncs: read(&self.counted.syncs),
        }
    }
}

#[derive(Debug)]
struct Counting {
    medium: Box<dyn StorageBackend>,
    counted: Arc<Counters>,
}

fn count(calls: &AtomicU64, bytes: &AtomicU64, len: usize) {
    calls.fetch_add(1, Ordering::Relaxed);
    bytes.fetch_add(len as u64, Ordering::Relaxed);
}

impl StorageBackend for Counting {
    fn len(&self) -> io::Result<u64> {
        self.medium.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        count(&self.counted.reads, &self.counted.read_bytes, out.len());
        self.medium.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.medium.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.counted.syncs.fetch_add(1, Ordering::Relaxed);
        self.medium.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        count(&self.counted.writes, &self.counted.written_bytes, data.len());
        self.medium.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.medium.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.medium.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.medium.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.medium.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.medium.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.medium.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.medium.query_lock_range(start, end)
    }
}
