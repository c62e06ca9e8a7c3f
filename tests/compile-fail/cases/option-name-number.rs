//! A name that is no string.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow(name = 3)]
//~ error at `3`: expected string literal
async fn wrong(sku: String) -> u64 {
    price(&sku).await
}
