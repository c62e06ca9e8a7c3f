//! A closure that captures.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let length = sku.len() as u64;
    let add = move |price| price + length;
    //~ error at `move |price| price + length`: this closure is still needed after the await of `price` in line 12, and can't be made again there: its code can't be stored
    //~ help: make it a nested `fn` that takes what it captures, or write it again after the await
    //~ see docs/errors/closure.md
    let price = price(&sku).await;
    add(price)
}
