//! An await of a boxed future.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> u64 {
    let later: std::pin::Pin<Box<dyn Future<Output = u64>>> = Box::pin(async { 1 });
    later.await + sku.len() as u64
    //~ error[E0277] at `later`
}
