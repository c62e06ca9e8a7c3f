//! A union.
use durable::prelude::*;

#[derive(Signal)]
pub union Approve {
//~ error at `union`: a signal is stored, and a union can't be
//~ help: write an enum
//~ see docs/errors/message.md
    pub by: u64,
}
