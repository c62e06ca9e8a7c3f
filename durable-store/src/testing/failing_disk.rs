//! A disk that fails a chosen call.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redb::StorageBackend;

use super::backend::{Call, Rule, RuledBackend};
use crate::MemoryImage;

/// How a [`FailingDisk`] fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// One call fails, the later ones work.
    Once,
    /// All calls fail until [`FailingDisk::heal`].
    ForGood,
}

/// A disk whose calls, readings and syncs included, are counted and fail from a chosen one on.
/// Clones are the same disk.
///
/// ```
/// use durable_store::testing::{FailingDisk, Failure};
/// use durable_store::{Batch, Error, Options, RedbStore, Store};
///
/// # fn main() -> Result<(), Error> {
/// let disk = FailingDisk::new();
/// let store = RedbStore::with_backend(disk.factory(), Options::default())?;
/// disk.fail_at(disk.calls(), Failure::Once); // the next one
/// let batch = Batch { programs: vec![(1, vec![7])], ..Batch::default() };
/// assert!(store.commit(&batch).is_err());
/// // What has become of it is known when the store was opened again.
/// assert!(matches!(store.program(1), Err(Error::Poisoned { .. })));
/// store.reopen()?;
/// store.commit(&batch)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FailingDisk {
    image: MemoryImage,
    plan: Arc<Plan>,
}

#[derive(Debug)]
struct Plan {
    calls: AtomicU64,
    fail_at: AtomicU64,
    for_good: AtomicBool,
}

impl Default for FailingDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl FailingDisk {
    /// An empty disk that works.
    pub fn new() -> Self {
        Self::from_bytes(Vec::new())
    }

    /// A disk with these bytes that works.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        let plan = Plan {
            calls: AtomicU64::new(0),
            fail_at: AtomicU64::new(u64::MAX),
            for_good: AtomicBool::new(false),
        };
        Self { image: MemoryImage::from_bytes(bytes), plan: Arc::new(plan) }
    }

    /// Makes the backend for each opening of a store.
    pub fn factory(&self) -> impl Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync + use<> {
        let disk = self.clone();
        move || Ok(Box::new(RuledBackend::new(&disk.image, disk.clone())) as Box<dyn StorageBackend>)
    }

    /// How many calls were made so far.
    pub fn calls(&self) -> u64 {
        self.plan.calls.load(Ordering::SeqCst)
    }

    /// Lets call number `call`, counted from zero, fail.
    pub fn fail_at(&self, call: u64, failure: Failure) {
        self.plan.for_good.store(failure == Failure::ForGood, Ordering::SeqCst);
        self.plan.fail_at.store(call, Ordering::SeqCst);
    }

    /// From here on all calls work.
    pub fn heal(&self) {
        self.plan.fail_at.store(u64::MAX, Ordering::SeqCst);
    }
}

impl Rule for FailingDisk {
    fn before(&self, call: &Call<'_>) -> io::Result<()> {
        let number = self.plan.calls.fetch_add(1, Ordering::SeqCst);
        let fail_at = self.plan.fail_at.load(Ordering::SeqCst);
        let for_good = self.plan.for_good.load(Ordering::SeqCst);
        if number == fail_at || for_good && number > fail_at {
            let what = match call {
                Call::Len => "length",
                Call::Read => "read",
                Call::Write(..) => "write",
                Call::SetLen(_) => "resize",
                Call::Sync => "sync",
            };
            return Err(io::Error::other(format!("the disk failed at call {number}, a {what}")));
        }
        Ok(())
    }
}
