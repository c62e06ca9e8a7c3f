//! A closure that is called after an await.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let vat = |price: u64| price + price / 5;
    //~ error at `|price: u64| price + price / 5`: this closure is still needed after the await of `price` in line 11, and can't be made again there: its code can't be stored
    //~ help: make it a nested `fn` that takes what it captures, or write it again after the await
    //~ see docs/errors/closure.md
    let price = price(&sku).await;
    vat(price)
}
