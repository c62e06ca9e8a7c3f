//! A duration without quotes.
use durable::prelude::*;
use shop::*;

#[activity(heartbeat = 10)]
//~ error at `10`: `10` is not a duration
//~ help: write "250ms", "30s", "5min", "1h" or "30d", with the quotes
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
