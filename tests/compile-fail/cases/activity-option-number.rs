//! A number in quotes.
use durable::prelude::*;
use shop::*;

#[activity(limit = "3")]
//~ error at `"3"`: expected a whole number
//~ help: write it without quotes: `limit = 10`
//~ see docs/errors/activity-option.md
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
