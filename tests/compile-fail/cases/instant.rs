//! A type error.
use durable::prelude::*;
use shop::*;
use std::time::Instant;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let start = Instant::now();
    let n = price(&sku).await;
    start.elapsed().as_secs() + n
}
