//! A workflow that never returns.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> ! {
//~ error at `!`: a workflow that never returns can't be cancelled cleanly
//~ help: return `()`, and leave the loop when the workflow is cancelled
//~ see docs/errors/workflow-result.md
    loop {
        notify(&sku).await;
    }
}
