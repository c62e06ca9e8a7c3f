//! An await of a future of std's.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    std::future::ready(price(&sku).await).await
    //~ error[E0277] at `std::future::ready(price(&sku).await)`
}
