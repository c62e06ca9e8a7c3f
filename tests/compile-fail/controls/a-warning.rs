//! noticed: one more warning
use durable::prelude::*;
use shop::price;

#[workflow]
async fn wrong(sku: String) -> String {
    let unused = 1;
    let sum: u32 = price(&sku).await;
    //~ error[E0308] at `price(&sku).await`
    String::new()
}
