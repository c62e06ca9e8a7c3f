//! A clock that stands still while the process is down.
use durable::prelude::*;
use shop::*;
use std::time::Instant;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let start = Instant::now();
    //~ error[E0277] at `start`
    let price = price(&sku).await;
    price + start.elapsed().as_secs()
}
