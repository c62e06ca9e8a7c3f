//! An iterator that is advanced by hand.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(skus: Vec<String>) -> u64 {
    let mut rest = skus.iter();
    //~ error at `skus.iter()`: `skus.iter()` is still needed after the await of `price` in line 12, and can't be made again there: how far `rest` has come is not known; write `for item in skus.iter()`, or count with an index
    let mut sum = 0;
    while let Some(sku) = rest.next() {
        sum += price(sku).await;
    }
    sum
}
