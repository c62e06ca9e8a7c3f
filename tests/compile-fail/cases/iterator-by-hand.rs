//! An iterator that is advanced by hand.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(skus: Vec<String>) -> u64 {
    let mut rest = skus.iter();
    //~ error at `skus.iter()`: `skus.iter()` is still needed after the await of `price` in line 13, and can't be made again there: how far `rest` has come is not known
    //~ help: write `for item in skus.iter()`, or count with an index
    //~ see docs/errors/iterator.md
    let mut sum = 0;
    while let Some(sku) = rest.next() {
        sum += price(sku).await;
    }
    sum
}
