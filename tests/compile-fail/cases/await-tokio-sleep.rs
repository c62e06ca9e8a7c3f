//! tokio's `sleep`, imported under its bare name.
use durable::prelude::*;
use shop::*;
use tokio::time::sleep;

#[workflow]
async fn wrong(sku: String) -> u64 {
    sleep(std::time::Duration::from_secs(1)).await;
    //~ error[E0277] at `sleep(std::time::Duration::from_secs(1))`
    price(&sku).await
}
