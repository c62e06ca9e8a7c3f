//! A deadline for a block of workflows.
use durable::prelude::*;
use shop::*;

struct Shop;

#[workflow(deadline = "30d")]
//~ error at `deadline`: a deadline is one workflow's, and this is a block of them
//~ help: give it to the function: `#[workflow(deadline = "30d")]`
//~ see docs/errors/impl-block.md
impl Shop {
    #[workflow]
    async fn wrong(sku: String) -> u64 {
        price(&sku).await
    }
}
