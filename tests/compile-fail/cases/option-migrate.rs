//! An option that is not there yet.
use durable::prelude::*;
use shop::*;

#[workflow(migrate = older)]
//~ error at `migrate`: `migrate` is not supported yet
//~ help: leave it out
//~ see docs/errors/workflow-option.md
async fn wrong(sku: String) -> u64 {
    price(&sku).await
}
