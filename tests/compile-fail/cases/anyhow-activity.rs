//! `anyhow::Result` as the result of an activity.
use durable::prelude::*;
use shop::*;

#[activity]
async fn look_up(sku: &str) -> anyhow::Result<u64> {
//~ error[E0277] at `anyhow::Result<u64>`: `std::result::Result<u64, anyhow::Error>` can't be the result of an activity, because it can't be stored
//~ see docs/errors/activity-result.md
    Ok(sku.len() as u64)
}
