//! `anyhow::Result` as the result of a workflow.
use durable::prelude::*;
use shop::*;

#[workflow]
//~ error[E0277] at `#[workflow]`
async fn wrong(sku: String) -> anyhow::Result<u64> {
    Ok(charge(price(&sku).await).await?)
    //~ error[E0277] at `t` (2)
}
