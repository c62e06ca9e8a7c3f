//! Calls that are not joined.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(skus: Vec<String>) -> Vec<u64> {
    let prices: Vec<_> = skus.iter().map(|sku| price(sku)).collect();
    prices.await
}
