//! An await of a plain async function.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let page = fetch(&sku).await;
    //~ error[E0277] at `fetch(&sku)`
    page.len() as u64
}
