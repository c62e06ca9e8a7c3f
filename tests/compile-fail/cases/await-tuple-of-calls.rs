//! Calls that are not joined.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> (u64, u64) {
    (price(&sku), price("all")).await
    //~ error[E0277] at `(price(&sku), price("all"))`: `(ActivityCall<impl Activity<Args = (String,), Output = u64>>, ...)` can't be awaited in a workflow
    //~ see docs/errors/await-not-durable.md
}
