//! A child whose error can't be made from what ends a child without a word.
use durable::prelude::*;
use shop::*;

#[derive(serde::Serialize, serde::Deserialize)]
enum TotalError {
    Nothing,
}

#[workflow]
async fn total(skus: Vec<String>) -> Result<u64, TotalError> {
    match skus.first() {
        Some(sku) => Ok(price(sku).await),
        None => Err(TotalError::Nothing),
    }
}

#[workflow]
async fn wrong(skus: Vec<String>) -> Result<u64, TotalError> {
    let handle = child("total", total(skus)).start().await;
    notify("started").await;
    handle.await
    //~ error[E0277] at `handle`: a child can end without returning, and `std::result::Result<u64, TotalError>` has no error for that
    //~ see docs/errors/child.md
    //~ error[E0277] at `await`: a child can end without returning, and `std::result::Result<u64, TotalError>` has no error for that
    //~ see docs/errors/child.md
}
