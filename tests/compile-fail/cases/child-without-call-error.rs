//! A child that has no way to say that it was cancelled.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn total(skus: Vec<String>) -> u64 {
    let mut total = 0;
    for sku in &skus {
        total += price(sku).await;
    }
    total
}

#[workflow]
async fn wrong(skus: Vec<String>) -> u64 {
    child("total", total(skus)).await
    //~ error[E0277] at `child("total", total(skus))`: a child can end without returning, and `u64` has no error for that
    //~ see docs/errors/child.md
}
