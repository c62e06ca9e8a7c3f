//! A function that is not async.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
fn wrong(sku: String) -> u64 {
//~ error at `fn`: a workflow is an async function
//~ help: write `async fn`
//~ see docs/errors/workflow-function.md
    sku.len() as u64
}
