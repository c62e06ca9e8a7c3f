//! A closure that captures.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let length = sku.len() as u64;
    let add = move |price| price + length;
    //~ error[E0277] at `add`: a closure can't be kept over an await: code can't be stored
    //~ see docs/errors/closure.md
    let price = price(&sku).await;
    add(price)
}
