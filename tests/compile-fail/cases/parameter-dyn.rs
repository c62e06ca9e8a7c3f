//! A trait object as a parameter.
use durable::prelude::*;
use shop::*;

#[workflow]
//~ error[E0277] at `#[workflow]`
//~ error[E0277] at `#[workflow]`
async fn wrong(sku: String, discount: Box<dyn Fn(u64) -> u64>) -> u64 {
//~ error[E0277] at `discount`
    discount(price(&sku).await)
}
