//! A duration that is none.
use durable::prelude::*;
use shop::*;

#[activity(heartbeat = "10 seconds")]
//~ error at `"10 seconds"`: `10 seconds` is not a duration
//~ help: write a whole number and a unit, as in "250ms", "30s", "5min", "1h" or "30d"
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
