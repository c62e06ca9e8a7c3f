//! The items of an owned loop.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut sum = 0;
    for client in vec![Client::default()] {
    //~ error[E0277] at `client`: `shop::Client` can't be kept over an await, because it can't be stored
    //~ see docs/errors/not-storable.md
    //~ error[E0277] at `vec`: `durable_core::steps::Rest<shop::Client>` can't be kept over an await, because it can't be stored
    //~ see docs/errors/not-storable.md
        sum += price(&sku).await + client.calls;
    }
    sum
}
