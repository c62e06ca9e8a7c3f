//! A block without workflows.
use durable::prelude::*;
use shop::*;

struct Shop;

#[workflow]
impl Shop {
//~ error at `impl`: no function of this `impl` block is a workflow
//~ help: write `#[workflow]` above those that are
//~ see docs/errors/impl-block.md
    async fn quote(sku: String) -> u64 {
        sku.len() as u64
    }
}
