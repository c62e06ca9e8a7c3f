//! A trait object as a parameter.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String, discount: Box<dyn Fn(u64) -> u64>) -> u64 {
//~ error[E0277] at `Box<dyn Fn(u64) -> u64>`: `Box<dyn Fn(u64) -> u64>` can't be an argument of a workflow, because it can't be stored
//~ see docs/errors/not-storable.md
    discount(price(&sku).await)
}
