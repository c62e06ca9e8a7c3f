//! A result that borrows.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> &str {
//~ error at `&`: a workflow's result is stored, and a reference can't be read back
//~ help: return `String`
//~ see docs/errors/workflow-result.md
    notify(&sku).await;
    "done"
}
