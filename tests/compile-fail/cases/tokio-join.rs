//! `tokio::join!`.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let (a, b) = tokio::join!(price("a"), price(&sku));
    //~ error at `join`: `tokio::join!` is not durable: what it has got is lost in a crash
    //~ help: await them together: `(first, second).join().await`
    //~ see docs/errors/foreign-join.md
    a + b
}
