//! An unsafe function.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async unsafe fn wrong(sku: String) -> u64 {
//~ error at `unsafe`: a workflow can't be an unsafe function: the engine calls it, and can give no promise
//~ help: leave out `unsafe`, and do the unsafe work in an `#[activity]`
//~ see docs/errors/workflow-function.md
    price(&sku).await
}
