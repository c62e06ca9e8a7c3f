//! A parameter by `&mut`.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(order: &mut Order) {
//~ error at `&`: a workflow can't change its caller's value: it works on a stored copy
//~ help: take the value and return the changed one
//~ see docs/errors/workflow-parameter.md
    order.id = price("a").await;
}
