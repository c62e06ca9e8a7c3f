//! Why a store refused.

use std::path::PathBuf;

use crate::record::Record;

/// An error of the store. Each names the object and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has the file open.
    #[error("{} is in use by another process: one process owns a store; stop the other one, or wait for it", .path.display())]
    Locked {
        /// The store's file.
        path: PathBuf,
    },
    /// The file was written by a newer version of Durable.
    #[error("{} has format version {found}, and this build reads up to {supported}: open it with the newer version that wrote it", .path.display())]
    Newer {
        /// The store's file.
        path: PathBuf,
        /// The version in the file.
        found: u32,
        /// The newest version that this build reads.
        supported: u32,
    },
    /// The file is not a Durable store.
    #[error("{} is not a Durable store ({reason}); it was left as it is", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        reason: String,
    },
    /// The file is damaged.
    #[error("{} is damaged ({reason}); it was left as it is: restore a backup", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// One record is damaged; the others can be read. Nothing of it was decoded.
    #[error("{} is damaged in one place: {record} fails its checksum; restore a backup, or terminate what it belongs to", .path.display())]
    DamagedRecord {
        /// The store's file.
        path: PathBuf,
        /// The record. A scan goes on behind it.
        record: Record,
    },
    /// The file can't be read or written.
    #[error("can't access {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// An earlier error left the outcome of a commit unknown.
    #[error("the store stopped after an error ({reason}); reopen it to go on from what is durable")]
    Poisoned {
        /// The error that stopped it.
        reason: String,
    },
    /// A batch contradicts what is stored: a mistake of the caller, nothing was written.
    #[error("refused a contradictory batch: {reason}")]
    Conflict {
        /// The contradiction.
        reason: String,
    },
}
