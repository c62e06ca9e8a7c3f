//! `anyhow::Result` as the result of a workflow.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> anyhow::Result<u64> {
//~ error[E0277] at `anyhow::Result<u64>`: `std::result::Result<u64, anyhow::Error>` can't be the result of a workflow: its error can't be stored
//~ see docs/errors/any-error.md
    Ok(charge(price(&sku).await).await?)
}
