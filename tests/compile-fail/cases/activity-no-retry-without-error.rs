//! A pattern over the error of an activity that has none.
use durable::prelude::*;
use shop::*;

#[activity(no_retry(Error { .. }))]
//~ error[E0277] at `Error`: `no_retry` is a pattern over the error of an activity, but this one returns `u64`
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
