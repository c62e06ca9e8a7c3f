//! A future of a plain async function that is made before an await.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let page = fetch("prices");
    //~ error[E0277] at `page`
    let price = price(&sku).await;
    drop(page);
    price
}
