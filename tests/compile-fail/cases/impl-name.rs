//! A name for a block of workflows.
use durable::prelude::*;
use shop::*;

struct Shop;

#[workflow(name = "shop")]
//~ error at `name`: a name is one workflow's, and this is a block of them
//~ help: give it to the function: `#[workflow(name = "..")]`
//~ see docs/errors/impl-block.md
impl Shop {
    #[workflow]
    async fn wrong(sku: String) -> u64 {
        price(&sku).await
    }
}
