//! `tokio::time::timeout`.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    tokio::time::timeout(std::time::Duration::from_secs(1), price(&sku)).await.unwrap_or(0)
    //~ error at `timeout`: `tokio::time::timeout` is not durable: the timer is lost in a crash
    //~ help: give the activity a time-out: `#[activity(start_to_close = "30s")]`, or `.start_to_close(..)` on its call
    //~ see docs/errors/foreign-timeout.md
}
