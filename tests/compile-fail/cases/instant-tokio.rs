//! tokio's `Instant`, by its path.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let start = tokio::time::Instant::now();
    //~ error[E0277] at `start`
    let price = price(&sku).await;
    price + start.elapsed().as_secs()
}
