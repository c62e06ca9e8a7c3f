//! A boxed trait object, by a cast.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let discount = Box::new(|price| price / 2) as Box<dyn Fn(u64) -> u64>;
    //~ error[E0277] at `discount`
    let price = price(&sku).await;
    discount(price)
}
