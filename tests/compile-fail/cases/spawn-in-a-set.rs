//! A set takes what `spawn` takes.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(skus: Vec<String>) -> usize {
    let mut pages = JoinSet::new();
    for sku in &skus {
        pages.spawn(fetch(sku));
        //~ error[E0277] at `fetch(sku)`: `impl Future<Output = String>` can't be spawned
        //~ see docs/errors/spawn.md
    }
    pages.collect().await.len()
}
