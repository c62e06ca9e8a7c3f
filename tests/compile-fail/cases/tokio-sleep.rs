//! `tokio::time::sleep`.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> u64 {
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    //~ error at `sleep`: `tokio::time::sleep` is not durable: the timer is lost in a crash
    //~ help: use `durable::sleep`, whose timer survives
    //~ see docs/errors/foreign-sleep.md
    price(&sku).await
}
