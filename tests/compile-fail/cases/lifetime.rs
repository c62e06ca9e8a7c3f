//! A lifetime parameter.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong<'a>(sku: &'a str) -> u64 {
//~ error at `'a`: a workflow outlives every borrow, so it has no lifetime parameters
//~ help: leave the lifetime out: a `&T` parameter is cloned at the call
//~ see docs/errors/workflow-parameter.md
    price(sku).await
}
