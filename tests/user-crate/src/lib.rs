//! Workflows and activities of a user who allows no warning.
#![forbid(unsafe_code)]
#![deny(warnings)]
#![deny(
    missing_docs,
    missing_debug_implementations,
    rust_2018_idioms,
    unreachable_pub,
    unused_qualifications,
    unused_results,
    clippy::all,
    clippy::pedantic
)]

pub mod activities;
pub mod blocks;
pub mod control;
pub mod hostile;
pub mod order;
pub mod renamed;

pub use order::{Order, OrderError, Receipt, fulfil};
