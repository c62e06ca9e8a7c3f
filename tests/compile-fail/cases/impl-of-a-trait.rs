//! A workflow in a trait's `impl` block.
use durable::prelude::*;
use shop::*;

struct Shop;

trait Quotes {
    async fn quote(sku: String) -> u64;
}

#[workflow]
impl Quotes for Shop {
//~ error at `Quotes`: a function of a trait can't be a workflow, because the trait says what it returns
//~ help: write it in an `impl` block of the type's own, and call it
//~ see docs/errors/impl-block.md
    #[workflow]
    async fn quote(sku: String) -> u64 {
        price(&sku).await
    }
}
