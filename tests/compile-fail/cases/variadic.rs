//! A variable number of parameters.
use durable::prelude::*;
use shop::*;

#[workflow]
async unsafe extern "C" fn wrong(sku: String, _: ...) -> u64 {
//~ error at `unsafe`: a workflow can't be an unsafe function: the engine calls it, and can give no promise
//~ help: leave out `unsafe`, and do the unsafe work in an `#[activity]`
//~ see docs/errors/workflow-function.md
//~ error at `extern`: a workflow has Rust's own ABI: the engine calls it
//~ help: leave out `extern`
//~ see docs/errors/workflow-function.md
//~ error at `_`: a workflow has a fixed number of parameters
//~ help: take a `Vec`
//~ see docs/errors/workflow-function.md
    price(&sku).await
}
