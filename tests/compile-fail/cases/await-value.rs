//! An await of what is no future at all.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let length = sku.len() as u64;
    length.await
    //~ error[E0277] at `length`: `u64` can't be awaited in a workflow
    //~ see docs/errors/await-not-durable.md
}
