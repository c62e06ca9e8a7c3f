//! A type error.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(client: Client, sku: String) -> u64 {
    price(&sku).await + client.calls
}
