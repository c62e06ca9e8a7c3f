//! The items of an owned loop.
use durable::prelude::*;
use shop::*;

#[workflow]
//~ error[E0277] at `#[workflow]`
async fn wrong(sku: String) -> u64 {
    let mut sum = 0;
    for client in vec![Client::default()] {
    //~ error[E0277] at `client`
    //~ error[E0277] at `vec`
        sum += price(&sku).await + client.calls;
    }
    sum
}
