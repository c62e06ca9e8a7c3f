//! What the disks have in common: a file in memory behind a rule that may refuse a call.

use std::io;
use std::ops::Bound;

use redb::{BackendError, StorageBackend};

use crate::memory::{ImageBackend, MemoryImage};

/// One call of redb that changes a disk, or reads it.
#[derive(Clone, Debug)]
pub(super) enum Call<'a> {
    Len,
    Read,
    Write(u64, &'a [u8]),
    SetLen(u64),
    Sync,
}

/// Sees every call before it is made.
pub(super) trait Rule: Send + Sync + 'static {
    fn before(&self, call: &Call<'_>) -> io::Result<()>;
}

/// A file in memory behind a rule.
pub(super) struct RuledBackend<R> {
    image: ImageBackend,
    rule: R,
}

impl<R> RuledBackend<R> {
    pub(super) fn new(image: &MemoryImage, rule: R) -> Self {
        Self { image: image.backend(), rule }
    }
}

impl<R> std::fmt::Debug for RuledBackend<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RuledBackend").field(&self.image).finish()
    }
}

impl<R: Rule> StorageBackend for RuledBackend<R> {
    fn len(&self) -> io::Result<u64> {
        self.rule.before(&Call::Len)?;
        self.image.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.rule.before(&Call::Read)?;
        self.image.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.rule.before(&Call::SetLen(len))?;
        self.image.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.rule.before(&Call::Sync)?;
        self.image.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.rule.before(&Call::Write(offset, data))?;
        self.image.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.image.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.image.try_lock_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.image.unlock_range(start, end)
    }
}
