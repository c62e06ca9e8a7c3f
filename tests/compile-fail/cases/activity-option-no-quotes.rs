//! A duration without quotes.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[activity(heartbeat = 10)]
//~ error at `10`: `10` is not a duration: write "250ms", "30s", "5min", "1h" or "30d", with the quotes
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
