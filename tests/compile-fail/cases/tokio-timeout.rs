//! `tokio::time::timeout`.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    tokio::time::timeout(std::time::Duration::from_secs(1), price(&sku)).await.unwrap_or(0)
    //~ error at `timeout`: `tokio::time::timeout` is not durable: the timer is lost in a crash
    //~ help: write `.timeout(..)` on what is awaited: `work().timeout(limit).await`
    //~ see docs/errors/foreign-timeout.md
}
