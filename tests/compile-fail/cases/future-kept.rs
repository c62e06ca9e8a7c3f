//! A future of a plain async function that is made before an await.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let page = fetch("prices");
    //~ error[E0277] at `page`: `impl Future<Output = String>` can't be kept over an await, because it can't be stored
    //~ see docs/errors/not-storable.md
    let price = price(&sku).await;
    drop(page);
    price
}
