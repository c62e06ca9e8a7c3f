//! A lazy iterator that is consumed after an await.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut sizes = sku.bytes().map(u64::from);
    //~ error at `sku.bytes().map(u64::from)`: `sku.bytes().map(u64::from)` is still needed after the await of `price` in line 11, and can't be made again there: the closure of `map` can't be kept
    //~ help: collect it first: `.collect::<Vec<_>>()`, after `.cloned()` if it goes over references
    //~ see docs/errors/iterator.md
    let price = price(&sku).await;
    price + sizes.next().unwrap_or(0)
}
