//! `futures::join!`, imported under its bare name.
use durable::prelude::*;
use shop::*;
use futures::join;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let (a, b) = join!(price("a"), price(&sku));
    //~ error at `join`: `join!` is not durable: what it has got is lost in a crash
    //~ help: await them together: `(first, second).join().await`
    //~ see docs/errors/foreign-join.md
    a + b
}
