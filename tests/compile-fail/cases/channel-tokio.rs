//! A sender of tokio's.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let (tx, _rx) = tokio::sync::mpsc::channel(1);
    //~ error[E0277] at `tx`
    let price = price(&sku).await;
    tx.try_send(price).unwrap();
    price
}
