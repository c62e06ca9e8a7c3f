//! A branch that is awaited before the `select!` is.
use durable::prelude::*;
use shop::*;
use std::time::Duration;

#[workflow]
async fn wrong(sku: String) -> u64 {
    select! {
        cents = price(&sku).await => cents,
        _ = sleep(Duration::from_secs(1)) => 0,
    }
}
