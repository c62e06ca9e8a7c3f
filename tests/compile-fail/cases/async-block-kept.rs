//! An async block that is made before an await.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let later = async { 1 };
    //~ error[E0277] at `later`: a future can't be kept over an await: only what is durable can be stored
    //~ see docs/errors/future-kept.md
    let price = price(&sku).await;
    drop(later);
    price
}
