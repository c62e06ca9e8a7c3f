//! An await of what is no future at all.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> u64 {
    let length = sku.len() as u64;
    length.await
    //~ error[E0277] at `length`
}
