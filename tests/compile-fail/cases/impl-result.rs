//! A result of type `impl Trait`.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> impl Copy {
//~ error at `impl`: a workflow's result is stored, so its type has a name
//~ help: name the type in place of `impl Trait`
//~ see docs/errors/workflow-result.md
    price(&sku).await
}
