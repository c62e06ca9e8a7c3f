//! A set takes what `spawn` takes.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(skus: Vec<String>) -> usize {
    let mut pages = JoinSet::new();
    for sku in &skus {
        pages.spawn(fetch(sku));
    }
    pages.collect().await.len()
}
