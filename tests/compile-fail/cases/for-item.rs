//! The items of an owned loop.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut sum = 0;
    for client in vec![Client::default()] {
    //~ error[E0277] at `vec![Client::default()]`: a `for` loop that awaits can't go over `Vec<shop::Client>`
    //~ see docs/errors/for-loop.md
        sum += price(&sku).await + client.calls;
    }
    sum
}
