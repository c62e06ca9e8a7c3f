//! An `anyhow::Error` that a function gives, kept by its type.
use durable::prelude::*;
use shop::*;

fn check(sku: &str) -> Result<u64, anyhow::Error> {
    sku.parse().map_err(anyhow::Error::from)
}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let checked: Result<u64, anyhow::Error> = check(&sku);
    //~ error[E0277] at `checked`: an error without a type of its own (`std::result::Result<u64, anyhow::Error>`) can't be kept over an await
    //~ see docs/errors/any-error.md
    let price = price(&sku).await;
    checked.unwrap_or(price)
}
