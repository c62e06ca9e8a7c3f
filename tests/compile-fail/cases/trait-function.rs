//! A function of a trait.
use durable::prelude::*;
use shop::*;

trait Quoting {
    async fn wrong(sku: String) -> u64;
}

struct Shop;

#[workflow]
impl Quoting for Shop {
//~ error at `Quoting`: a function of a trait can't be a workflow, because the trait says what it returns
//~ help: write it in an `impl` block of the type's own, and call it
//~ see docs/errors/impl-block.md
    #[workflow]
    async fn wrong(sku: String) -> u64 {
        price(&sku).await
    }
}
