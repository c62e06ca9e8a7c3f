//! No attempt at all.
use durable::prelude::*;
use shop::*;

#[activity(retry(max_attempts = 0))]
//~ error at `0`: 0 attempts would never run it
//~ help: leave `max_attempts` out for no limit, or write 1 for no retry
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
