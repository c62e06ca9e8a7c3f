//! A name that is no string.
use durable::prelude::*;
use shop::*;

#[workflow(name = 3)]
//~ error at `3`: a workflow's name is a string
//~ help: write `name = ".."`
//~ see docs/errors/workflow-option.md
async fn wrong(sku: String) -> u64 {
    price(&sku).await
}
