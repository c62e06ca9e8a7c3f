//! A type error.
use durable::prelude::*;
use shop::price;

#[workflow]
async fn wrong(sku: String) -> String {
    let sum: u32 = price(&sku).await;
    let n: u32 = price(&sku).await + 1;
    sum.to_string() + &n.to_string()
}
