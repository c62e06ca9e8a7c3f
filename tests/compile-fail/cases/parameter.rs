//! A parameter that can't be stored.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(client: Client, sku: String) -> u64 {
//~ error[E0277] at `Client`: `shop::Client` can't be an argument of a workflow, because it can't be stored
//~ see docs/errors/not-storable.md
    price(&sku).await + client.calls
}
