//! A longest delay that is shorter than the first.
use durable::prelude::*;
use shop::*;

#[activity(retry(initial = "10s", max_interval = "5s"))]
//~ error at `max_interval`: `max_interval` is shorter than the first delay, `initial` (default "1s")
//~ help: give a longer one, or a shorter `initial`
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
