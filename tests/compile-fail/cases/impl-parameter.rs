//! A parameter of type `impl Trait`.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: impl Into<String>) -> u64 {
//~ error at `impl`: a workflow's arguments are stored, so their types have names
//~ help: use a type parameter in place of `impl Trait`
//~ see docs/errors/workflow-parameter.md
    price(&sku.into()).await
}
