//! An `Instant` that was computed.
use durable::prelude::*;
use shop::*;
use std::time::Instant;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let deadline = Instant::now() + std::time::Duration::from_secs(60);
    //~ error[E0277] at `deadline`
    let price = price(&sku).await;
    if Instant::now() > deadline { 0 } else { price }
}
