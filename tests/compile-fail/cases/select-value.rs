//! A branch that is no operation.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    select! {
        price = price(&sku) => price,
        five = 5_u64 => five,
        //~ error[E0277] at `5_u64`: `u64` can't be awaited in a workflow
        //~ see docs/errors/await-not-durable.md
    }
}
