//! A `Ref` that is used after an await.
use durable::prelude::*;
use shop::*;
use std::cell::RefCell;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let total = RefCell::new(1);
    let seen = total.borrow();
    //~ error[E0277] at `seen`: a borrow of a `RefCell` (`Ref<'_, {integer}>`) can't be kept over an await
    //~ see docs/errors/refcell-borrow.md
    let price = price(&sku).await;
    price + *seen
}
