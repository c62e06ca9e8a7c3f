//! What can go wrong below [`RedbStore`](super::RedbStore), before it is known on which file.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::Error;
use crate::record::Record;

/// A failure inside a transaction.
#[derive(Debug)]
pub(super) enum Fault {
    /// redb refused.
    Redb(redb::Error),
    /// The batch contradicts what is stored.
    Conflict(String),
    /// One record fails its checksum; the others are unharmed.
    Damaged(Record),
    /// redb's own structures are wrong, or redb panicked on them.
    Corrupted(String),
}

macro_rules! from_redb {
    ($($error:ty),*) => { $(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::Redb(error.into())
            }
        }
    )* };
}
from_redb!(
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::CompactionError,
    redb::DatabaseError
);

impl Fault {
    /// Whether redb is unusable afterwards. A record's own damage and corrupted pages leave the
    /// rest readable; after an I/O error redb answers nothing more until it is opened again.
    pub(super) fn stops_reading(&self) -> bool {
        let unharmed =
            |error: &redb::Error| matches!(error, redb::Error::Corrupted(_) | redb::Error::ValueTooLarge(_));
        matches!(self, Self::Redb(error) if !unharmed(error))
    }

    /// Whether the outcome of the transaction is unknown.
    pub(super) fn stops_writing(&self) -> bool {
        !matches!(self, Self::Conflict(_) | Self::Damaged(_) | Self::Redb(redb::Error::ValueTooLarge(_)))
    }

    /// The error as the caller sees it.
    pub(super) fn on(self, path: &Path) -> Error {
        let path = path.to_owned();
        match self {
            Self::Conflict(reason) => Error::Conflict { reason },
            Self::Damaged(record) => Error::DamagedRecord { path, record },
            Self::Redb(redb::Error::DatabaseAlreadyOpen) => Error::Locked { path },
            Self::Corrupted(reason) | Self::Redb(redb::Error::Corrupted(reason)) => {
                Error::Damaged { path, reason }
            }
            Self::Redb(redb::Error::ValueTooLarge(bytes)) => {
                Error::Conflict { reason: format!("a record of {bytes} bytes is more than fits (3 GiB)") }
            }
            // The file ends before what it promises to hold, or holds what can't be.
            Self::Redb(redb::Error::Io(source))
                if matches!(source.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) =>
            {
                Error::Damaged { path, reason: source.to_string() }
            }
            Self::Redb(redb::Error::Io(source)) => Error::Io { path, source },
            Self::Redb(other @ (redb::Error::PreviousIo | redb::Error::LockPoisoned(_))) => {
                Error::Poisoned { reason: other.to_string() }
            }
            Self::Redb(other) => Error::Damaged { path, reason: other.to_string() },
        }
    }
}

/// Runs `work`; a panic in it is a [`Fault::Corrupted`].
///
/// redb asserts what a sound file guarantees, so on a damaged one it may panic instead of
/// answering. Nothing of ours is left half-changed by it: `work` only talks to redb, whose
/// transaction is dropped by the unwinding.
pub(super) fn contained<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        Err(Fault::Corrupted(format!("its structures contradict each other: {message}")))
    })
}
