//! An option without a value.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow(name)]
//~ error at `#[workflow(name)]`: expected `=`
async fn wrong(sku: String) -> u64 {
    price(&sku).await
}
