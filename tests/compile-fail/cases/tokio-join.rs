//! `tokio::join!`.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let (a, b) = tokio::join!(price("a"), price(&sku));
    //~ error at `join`: `tokio::join!` is not durable: what it has got is lost in a crash
    //~ help: await one after the other, or join them inside one `#[activity]`
    //~ see docs/errors/foreign-join.md
    a + b
}
