//! A duration that is none.
use durable::prelude::*;
use shop::*;

#[workflow(deadline = "30 days")]
//~ error at `"30 days"`: `30 days` is not a duration
//~ help: write a whole number and a unit, as in "250ms", "30s", "5min", "1h" or "30d"
//~ see docs/errors/workflow-option.md
async fn wrong(sku: String) -> u64 {
    price(&sku).await
}
