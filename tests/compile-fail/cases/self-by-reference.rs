//! A method.
use durable::prelude::*;
use shop::*;

struct Shop;

impl Shop {
    #[workflow]
    async fn wrong(&self, sku: String) -> u64 {
    //~ error at `&`: a workflow has no `self` by reference: its arguments are stored
    //~ help: take `self`, and call it on a clone
    //~ see docs/errors/workflow-parameter.md
        price(&sku).await
    }
}
