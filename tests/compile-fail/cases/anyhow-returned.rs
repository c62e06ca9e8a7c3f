//! `anyhow::Error` as the error of a workflow.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> Result<u64, anyhow::Error> {
//~ error[E0277] at `Result<u64, anyhow::Error>`: `std::result::Result<u64, anyhow::Error>` can't be the result of a workflow: its error can't be stored
//~ see docs/errors/any-error.md
    Ok(price(&sku).await)
}
