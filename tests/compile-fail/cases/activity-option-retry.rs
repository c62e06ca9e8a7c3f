//! `retry` without parentheses.
use durable::prelude::*;
use shop::*;

#[activity(retry = 3)]
//~ error at `=`: `retry` takes its options in parentheses
//~ help: write `retry(initial = "1s", backoff = 2.0, max_attempts = 5)`
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
