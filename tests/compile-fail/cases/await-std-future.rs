//! An await of a future of std's.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    std::future::ready(price(&sku).await).await
    //~ error[E0277] at `std::future::ready(price(&sku).await)`: `std::future::Ready<u64>` can't be awaited in a workflow
    //~ see docs/errors/await-not-durable.md
}
