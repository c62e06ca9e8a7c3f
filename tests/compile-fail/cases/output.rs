//! A type error.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> Result<u64, anyhow::Error> {
    Ok(price(&sku).await)
}
