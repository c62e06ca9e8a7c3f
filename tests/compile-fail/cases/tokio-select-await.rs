//! An await inside of `tokio::select!` is the same mistake.
use durable::prelude::*;
use shop::*;

async fn price2() -> u64 {
    1
}

#[workflow]
async fn wrong(sku: String) -> u64 {
    tokio::select! {
    //~ error at `select`: `tokio::select!` is not durable: what its branches have got is lost in a crash
    //~ help: write `durable::select!`, whose branches are written alike
    //~ see docs/errors/foreign-select.md
        price = price(&sku) => price + price2().await,
    }
}
