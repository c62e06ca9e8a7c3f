//! What Durable keeps on disk, behind one trait.
//!
//! [`Store`] speaks of instances, timers, history and transitions, never of tables, so that one
//! engine runs over any implementation. [`RedbStore`] is the embedded one. The store knows nothing
//! of workflows: the state of an instance is bytes to it.

mod error;
mod record;
mod redb_store;
mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use error::Error;
pub use record::{Batch, Change, Closed, Found, Instance, Number, Slot, Timer, TimerChange, Transition};
pub use redb_store::{Options, RedbStore};
pub use store::Store;
