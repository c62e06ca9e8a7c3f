//! `anyhow::Result` as the result of an activity.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[activity]
async fn look_up(sku: &str) -> anyhow::Result<u64> {
//~ error[E0277] at `anyhow::Result<u64>`
//~ error[E0277] at `anyhow::Result<u64>`
    Ok(sku.len() as u64)
}
