//! A collection of what can't be stored.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let clients = vec![Client::default()];
    //~ error[E0277] at `clients`
    let price = price(&sku).await;
    price + clients.len() as u64
}
