//! A method.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

struct Shop;

impl Shop {
    #[workflow]
    async fn wrong(&self, sku: String) -> u64 {
    //~ error at `&`: a workflow has no `self`: its arguments are stored
    //~ help: make it a free function and pass the value
    //~ see docs/errors/workflow-parameter.md
        price(&sku).await
    }
}
