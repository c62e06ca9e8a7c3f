//! A signal that serde does not know.
use durable::prelude::*;

#[derive(Signal)]
pub struct Approve;
//~ error[E0277] at `Approve`
//~ error[E0277] at `Approve`
