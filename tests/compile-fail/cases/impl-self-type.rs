//! `Self` in a workflow of a block that is not annotated.
use durable::prelude::*;
use shop::*;

struct Shop;

impl Shop {
    #[workflow]
    async fn wrong(sku: String) -> u64 {
        price(&sku).await + Self::fee()
        //~ error at `Self`: only the `impl` block says what `Self` is
        //~ help: write `#[workflow]` above the `impl` too
        //~ see docs/errors/impl-block.md
    }

    fn fee() -> u64 {
        1
    }
}
