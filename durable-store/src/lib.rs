//! What Durable keeps on disk, behind one trait.
//!
//! [`Store`] speaks of instances, timers, mail, history and transitions, never of tables, so that one
//! engine runs over any implementation. [`RedbStore`] is the embedded one. The store knows nothing
//! of workflows: the state of an instance is bytes to it.
//!
//! [`MemoryImage`] is a file in memory: a store over it behaves as one over a file, and can be opened
//! again over the same bytes.

#[doc(hidden)]
pub mod bytes;
mod error;
mod layer;
mod memory;
mod record;
mod redb_store;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod usage;

pub use error::Error;
pub use layer::Layer;
pub use memory::MemoryImage;
pub use record::{
    Batch, Change, Closed, Found, Instance, KeyChange, Mail, MailTaken, Mailbox, Number, Operation,
    OperationChange, Queue, Record, Slot, SnapshotChange, Timer, TimerChange, Transition,
};
pub use redb_store::{Options, RedbStore};
pub use store::Store;
pub use usage::{Compacted, DiskUsage, TableUsage};
