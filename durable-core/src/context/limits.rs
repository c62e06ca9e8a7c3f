//! What an instance may grow to. Each limit has its default here, its option at the engine's builder, and its error.

use crate::message::MAX_MESSAGE_BYTES;

/// The most inline workflow calls that may be nested in one another. It is what a worker's stack holds in an unoptimized build, so there is
/// no option for it.
pub const MAX_DEPTH: u32 = 64;

/// The most bytes that the snapshot of one workflow function may have, unless the engine's builder says otherwise.
pub const MAX_SNAPSHOT_BYTES: usize = 512 << 20;

/// The most operations that an instance may have open at once, unless the engine's builder says otherwise.
pub const MAX_OPERATIONS: usize = 100_000;

/// What nothing that is written at once may exceed, whatever the builder says: the store keeps it in one row.
pub(crate) const MOST_BYTES: usize = 1 << 30;

/// What one instance may grow to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) operations: usize,
    pub(crate) snapshot_bytes: usize,
    pub(crate) message_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            operations: MAX_OPERATIONS,
            snapshot_bytes: MAX_SNAPSHOT_BYTES,
            message_bytes: MAX_MESSAGE_BYTES,
        }
    }
}
