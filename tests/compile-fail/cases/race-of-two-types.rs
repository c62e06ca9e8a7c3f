//! Two types of output.
use durable::prelude::*;
use shop::*;
use std::time::Duration;

#[workflow]
async fn wrong(sku: String) -> u64 {
    (price(&sku), sleep(Duration::from_secs(1))).race().await
}
