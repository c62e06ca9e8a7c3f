//! A `&'static str` as the result of a workflow.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> Result<u64, &'static str> {
//~ error at `&`: a workflow's result is stored, and a reference can't be read back
//~ help: return `Result<u64, String>`
//~ see docs/errors/workflow-result.md
    Err("too dear").or(Ok(price(&sku).await))
}
