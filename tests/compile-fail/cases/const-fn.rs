//! A const function.
use durable::prelude::*;
use shop::*;

#[workflow]
const async fn wrong(sku: String) -> u64 {
//~ error at `const`: a workflow can't be a const function: it runs in the engine
//~ help: leave out `const`
//~ see docs/errors/workflow-function.md
    price(&sku).await
}
