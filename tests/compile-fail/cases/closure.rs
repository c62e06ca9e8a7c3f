//! A closure that is called after an await.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let vat = |price: u64| price + price / 5;
    //~ error[E0277] at `vat`
    let price = price(&sku).await;
    vat(price)
}
