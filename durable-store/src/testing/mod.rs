//! What shows that a store keeps its promises (feature `testing`).
//!
//! [`conformance`] is written against [`Store`](crate::Store) alone, for every implementation.

pub mod conformance;
pub mod sample;
