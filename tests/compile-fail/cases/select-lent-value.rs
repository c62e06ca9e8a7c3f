//! What is lent is an operation.
use durable::prelude::*;
use shop::*;
use std::time::Duration;

#[workflow]
//~ error[E0277] at `#[workflow]`: `&mut durable::JoinSet<u64>` can't be a branch of a `select!`
//~ see docs/errors/select.md
async fn wrong(sku: String) -> u64 {
    let mut prices = JoinSet::new();
    prices.spawn(price(&sku));
    select! {
        _ = &mut prices => 1,
        _ = sleep(Duration::from_secs(1)) => 0,
    }
}
