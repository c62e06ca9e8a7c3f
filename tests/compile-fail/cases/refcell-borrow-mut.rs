//! A `RefMut` of an `Rc<RefCell>`.
use durable::prelude::*;
use shop::*;
use std::cell::RefCell;
use std::rc::Rc;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let total = Rc::new(RefCell::new(1));
    let mut sum = total.borrow_mut();
    //~ error[E0277] at `sum`
    let price = price(&sku).await;
    *sum += price;
    *sum
}
