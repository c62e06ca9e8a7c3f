//! A closure that captures.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let length = sku.len() as u64;
    let add = move |price| price + length;
    //~ error[E0277] at `add`
    let price = price(&sku).await;
    add(price)
}
