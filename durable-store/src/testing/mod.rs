//! What shows that a store keeps its promises (feature `testing`).
//!
//! [`conformance`] is written against [`Store`](crate::Store) alone, for every implementation. The
//! disks are for the embedded store, and for whole engines above it:
//!
//! - [`LossyDisk`] loses power: what was not synced is lost, torn and reordered;
//! - [`FailingDisk`] fails a chosen call, once or from then on;
//! - [`FullDisk`] runs out of room;
//! - [`CountingDisk`] counts what is read and written.
//!
//! Each makes the backends of a store ([`RedbStore::with_backend`](crate::RedbStore::with_backend)), and an engine goes over that store
//! (`Engine::builder().store(..)`): `docs/testing.md` has an example. A [`Layer`](crate::Layer) is for what goes wrong above the disk: commits that are
//! refused, forgotten or slow.
//!
//! A [`Model`] says what a store must hold after a sequence of batches, and [`Batches`] makes up
//! such sequences from a seed.

mod backend;
pub mod conformance;
mod counting_disk;
mod failing_disk;
mod full_disk;
mod lossy_disk;
mod model;
mod random;
pub mod sample;

pub use counting_disk::{CountingDisk, Counts};
pub use failing_disk::{FailingDisk, Failure};
pub use full_disk::{FullDisk, Room};
pub use lossy_disk::{LossyDisk, Trace};
pub use model::{Model, Verdict};
pub use random::{Batches, Rng};
