//! A branch that is no operation.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    select! {
        price = price(&sku) => price,
        five = 5_u64 => five,
    }
}
