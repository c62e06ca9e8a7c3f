//! A pattern over the error of an activity that has none.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[activity(no_retry(Error { .. }))]
//~ error[E0277] at `Error`
async fn look_up(sku: &str) -> u64 {
    sku.len() as u64
}
