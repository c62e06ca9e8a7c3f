//! `anyhow::Error` as the error of a workflow.
use durable::prelude::*;
use shop::*;

#[workflow]
//~ error[E0277] at `#[workflow]`
async fn wrong(sku: String) -> Result<u64, anyhow::Error> {
    Ok(price(&sku).await)
}
