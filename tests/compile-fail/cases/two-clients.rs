//! Two variables are two errors.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let client = Client::default();
    //~ error[E0277] at `client`
    let other = Client::default();
    //~ error[E0277] at `other`
    let price = price(&sku).await;
    price + client.calls + other.calls
}
