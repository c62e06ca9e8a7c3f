//! A set that is awaited as if it were one operation.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> Vec<u64> {
    let mut prices = JoinSet::new();
    prices.spawn(price(&sku));
    prices.await
    //~ error[E0277] at `prices`: `durable::JoinSet<u64>` can't be awaited in a workflow
    //~ see docs/errors/await-not-durable.md
}
