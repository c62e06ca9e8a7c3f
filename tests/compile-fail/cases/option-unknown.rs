//! An option that is none.
use durable::prelude::*;
use shop::*;

#[workflow(retries = 3)]
//~ error at `retries`: unknown option `retries`
//~ help: a workflow takes `name`, `was`, `migrate`, `deadline` and `crate`
//~ see docs/errors/workflow-option.md
async fn wrong(sku: String) -> u64 {
    price(&sku).await
}
