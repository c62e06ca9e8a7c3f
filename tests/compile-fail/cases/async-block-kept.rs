//! An async block that is made before an await.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let later = async { 1 };
    //~ error[E0277] at `later`
    let price = price(&sku).await;
    drop(later);
    price
}
