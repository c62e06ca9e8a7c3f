//! An await of a plain async function.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let page = fetch(&sku).await;
    //~ error[E0277] at `fetch(&sku)`: `impl Future<Output = String>` can't be awaited in a workflow
    //~ see docs/errors/await-not-durable.md
    page.len() as u64
}
