//! An option that is not there yet.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow(deadline = "30d")]
//~ error at `deadline`: `deadline` is not supported yet
//~ help: leave it out
//~ see docs/errors/workflow-option.md
async fn wrong(sku: String) -> u64 {
    price(&sku).await
}
