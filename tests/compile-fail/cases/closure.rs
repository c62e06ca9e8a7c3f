//! A closure that is called after an await.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let vat = |price: u64| price + price / 5;
    //~ error at `|price: u64| price + price / 5`: `| price : u64 | price + price / 5` is still needed after the await of `price` in line 9, and can't be made again there: a closure can't be kept; make it a nested `fn` that takes what it captures, or write it again after the await
    let price = price(&sku).await;
    vat(price)
}
