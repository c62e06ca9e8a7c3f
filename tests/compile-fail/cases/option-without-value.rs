//! An option without a value.
use durable::prelude::*;
use shop::*;

#[workflow(name)]
//~ error at `name`: the option `name` has no value
//~ help: write `name = ..`
//~ see docs/errors/workflow-option.md
async fn wrong(sku: String) -> u64 {
    price(&sku).await
}
