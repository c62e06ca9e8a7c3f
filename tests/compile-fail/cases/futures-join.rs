//! `futures::join!`, imported under its bare name.
use durable::prelude::*;
use shop::*;
use futures::join;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let (a, b) = join!(price("a"), price(&sku));
    //~ error at `join`: `join!` is not durable: what it has got is lost in a crash
    //~ help: await one after the other, or join them inside one `#[activity]`
    //~ see docs/errors/foreign-join.md
    a + b
}
