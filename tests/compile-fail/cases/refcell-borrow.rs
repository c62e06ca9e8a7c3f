//! A `Ref` that is used after an await.
use durable::prelude::*;
use shop::*;
use std::cell::RefCell;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let total = RefCell::new(1);
    let seen = total.borrow();
    //~ error[E0277] at `seen`
    let price = price(&sku).await;
    price + *seen
}
