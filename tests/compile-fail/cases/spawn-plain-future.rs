//! A plain future that is spawned.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let page = spawn(fetch("prices"));
    //~ error[E0277] at `fetch("prices")`: `impl Future<Output = String>` can't be spawned
    //~ see docs/errors/spawn.md
    let price = price(&sku).await;
    price + page.await.len() as u64
}
