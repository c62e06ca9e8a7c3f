//! No attempt at all.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[activity(retry(max_attempts = 0))]
//~ error at `0`: 0 attempts would never run it; leave `max_attempts` out for no limit, or write 1 for no retry
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
