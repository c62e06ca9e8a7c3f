//! A borrow and a value in one variable.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> u64 {
    let named = (&sku, sku.len() as u64);
    //~ error at `(&sku, sku.len() as u64)`: `(&sku, sku.len() as u64)` is still needed after the await of `price` in line 10, and can't be made again there: it holds a value beside the borrow; bind the value and the borrow each by itself
    let price = price(named.0).await;
    price + named.1
}
