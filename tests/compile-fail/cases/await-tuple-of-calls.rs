//! Calls that are not joined.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> (u64, u64) {
    (price(&sku), price("all")).await
}
