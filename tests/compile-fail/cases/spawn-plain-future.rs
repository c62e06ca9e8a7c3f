//! A plain future that is spawned.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let page = spawn(fetch("prices"));
    let price = price(&sku).await;
    price + page.await.len() as u64
}
