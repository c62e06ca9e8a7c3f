//! A duration that is none.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[activity(heartbeat = "10 seconds")]
//~ error at `"10 seconds"`: `10 seconds` is not a duration: write a whole number and a unit, as in "250ms", "30s", "5min", "1h" or "30d"
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
