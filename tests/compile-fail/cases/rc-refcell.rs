//! The borrow of an `Rc<RefCell>`, read.
use durable::prelude::*;
use shop::*;
use std::{cell::RefCell, rc::Rc};

#[workflow]
async fn wrong(sku: String) -> u64 {
    let prices = Rc::new(RefCell::new(vec![1]));
    let known = prices.borrow();
    //~ error[E0277] at `known`: a borrow of a `RefCell` (`Ref<'_, Vec<{integer}>>`) can't be kept over an await
    //~ see docs/errors/refcell-borrow.md
    let price = price(&sku).await;
    price + known[0]
}
