//! An argument by `&mut`.
use durable::prelude::*;
use shop::*;

#[activity]
async fn look_up(order: &mut Order) {
//~ error at `&mut`: an activity works on a stored copy, so the caller would not see the change: take it by value and return it
    order.id += 1;
}
