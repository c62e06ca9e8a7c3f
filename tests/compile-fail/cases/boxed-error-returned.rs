//! `Box<dyn Error>` as the error of a workflow.
use durable::prelude::*;
use shop::*;

#[workflow]
//~ error[E0277] at `#[workflow]`
async fn wrong(sku: String) -> Result<u64, Box<dyn std::error::Error>> {
    Ok(price(&sku).await)
}
