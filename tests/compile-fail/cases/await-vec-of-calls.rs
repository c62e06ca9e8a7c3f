//! Calls that are not joined.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(skus: Vec<String>) -> Vec<u64> {
    let prices: Vec<_> = skus.iter().map(|sku| price(sku)).collect();
    prices.await
    //~ error[E0277] at `prices`: `Vec<ActivityCall<impl durable::activity::Activity<Args = (String,), Output = u64>>>` can't be awaited in a workflow
    //~ see docs/errors/await-not-durable.md
}
