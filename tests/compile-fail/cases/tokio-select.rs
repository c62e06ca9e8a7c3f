//! `tokio::select!`.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    tokio::select! {
    //~ error at `select`: `tokio::select!` is not durable: what its branches have got is lost in a crash
    //~ help: write `durable::select!`, whose branches are written alike
    //~ see docs/errors/foreign-select.md
        price = price(&sku) => price,
        _ = sleep(std::time::Duration::from_secs(1)) => 0,
    }
}
