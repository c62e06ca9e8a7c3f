//! A parameter that can't be stored.
use durable::prelude::*;
use shop::*;

#[workflow]
//~ error[E0277] at `#[workflow]`
//~ error[E0277] at `#[workflow]`
async fn wrong(client: Client, sku: String) -> u64 {
//~ error[E0277] at `client`
    price(&sku).await + client.calls
}
