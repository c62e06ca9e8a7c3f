//! A closure that is kept as a function pointer.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let tax: fn(u64) -> u64 = |price| price + 1;
    //~ error[E0277] at `tax`: a closure can't be kept over an await: code can't be stored
    //~ see docs/errors/closure.md
    let price = price(&sku).await;
    tax(price)
}
