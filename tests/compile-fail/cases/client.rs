//! A client of a service.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let client = Client::default();
    //~ error[E0277] at `client`: `shop::Client` can't be kept over an await, because it can't be stored
    //~ see docs/errors/not-storable.md
    let price = price(&sku).await;
    price + client.calls
}
