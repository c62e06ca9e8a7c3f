//! A result that can't be stored.
use durable::prelude::*;
use shop::*;

#[workflow]
//~ error[E0277] at `#[workflow]`
async fn wrong(sku: String) -> Client {
    Client { calls: price(&sku).await }
}
