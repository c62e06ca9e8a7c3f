//! A result that can't be stored.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> Client {
//~ error[E0277] at `Client`: `shop::Client` can't be the result of a workflow, because it can't be stored
//~ see docs/errors/not-storable.md
    Client { calls: price(&sku).await }
}
