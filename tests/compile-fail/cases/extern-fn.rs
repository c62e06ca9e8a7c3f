//! A function with another ABI.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async extern "C" fn wrong(sku: String) -> u64 {
//~ error at `extern`: a workflow has Rust's own ABI: the engine calls it
//~ help: leave out `extern`
//~ see docs/errors/workflow-function.md
    price(&sku).await
}
