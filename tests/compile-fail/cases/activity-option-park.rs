//! A value for an option that is a word alone.
use durable::prelude::*;
use shop::*;

#[activity(park_when_exhausted = true)]
//~ error at `=`: `park_when_exhausted` takes no value
//~ help: write the word alone
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
