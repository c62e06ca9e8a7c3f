//! A migration for a block of workflows.
use durable::prelude::*;
use shop::*;

struct Shop;

#[workflow(migrate = Shop::older)]
//~ error at `migrate`: snapshots are one workflow's, and this is a block of them
//~ help: give it to the function: `#[workflow(migrate = path)]`
//~ see docs/errors/impl-block.md
impl Shop {
    #[workflow]
    async fn wrong(sku: String) -> u64 {
        price(&sku).await
    }
}
