//! An empty name.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow(name = "")]
//~ error at `""`: a workflow's name can't be empty: it is what is stored
//~ help: leave `name` out to take the function's
//~ see docs/errors/workflow-option.md
async fn wrong(sku: String) -> u64 {
    price(&sku).await
}
