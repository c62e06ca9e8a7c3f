//! A loop over what a closure makes.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(skus: Vec<String>) -> u64 {
    let mut sum = 0;
    for sku in skus.iter().filter(|sku| sku.len() > 3) {
    //~ error at `skus.iter().filter(|sku| sku.len() > 3)`: a `for` loop that awaits can't go over this: the closure of `filter` can't be kept
    //~ help: collect it first: `.collect::<Vec<_>>()`, after `.cloned()` if it goes over references
    //~ see docs/errors/for-loop.md
        sum += price(sku).await;
    }
    sum
}
