//! The same in a join.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn total(sku: String) -> u64 {
    price(&sku).await
}

#[workflow]
async fn wrong(skus: Vec<String>) -> u64 {
    let totals: Vec<_> = skus.iter().map(|sku| child(sku.clone(), total(sku.clone()))).collect();
    totals.join().await.iter().sum()
}
