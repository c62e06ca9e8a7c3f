//! A client of a service.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let client = Client::default();
    //~ error[E0277] at `client`
    let price = price(&sku).await;
    price + client.calls
}
