//! A lazy iterator that is consumed after an await.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut sizes = sku.bytes().map(u64::from);
    //~ error[E0277] at `sizes`
    let price = price(&sku).await;
    price + sizes.next().unwrap_or(0)
}
