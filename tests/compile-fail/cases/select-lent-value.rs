//! What is lent is an operation.
use durable::prelude::*;
use shop::*;
use std::time::Duration;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut prices = JoinSet::new();
    prices.spawn(price(&sku));
    select! {
        _ = &mut prices => 1,
        //~ error[E0277] at `&mut prices`: `&mut durable::JoinSet<u64>` can't be a branch of a `select!`
        //~ see docs/errors/select.md
        _ = sleep(Duration::from_secs(1)) => 0,
    }
}
