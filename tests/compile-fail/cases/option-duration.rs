//! A duration that is none.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow(deadline = "30 days")]
//~ error at `"30 days"`: `30 days` is not a duration
//~ help: write a whole number and ms, s, min, h or d, as in `30s`
//~ see docs/errors/workflow-option.md
async fn wrong(sku: String) -> u64 {
    price(&sku).await
}
