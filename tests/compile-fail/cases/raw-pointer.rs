//! A raw pointer.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let number = 1u64;
    let at = &raw const number;
    //~ error[E0277] at `at`
    let price = price(&sku).await;
    price + at.addr() as u64
}
