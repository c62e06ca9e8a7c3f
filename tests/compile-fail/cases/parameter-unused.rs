//! A parameter that can't be stored, and is not used after an await.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(client: Client, sku: String) -> u64 {
//~ error[E0277] at `Client`: `shop::Client` can't be an argument of a workflow, because it can't be stored
//~ see docs/errors/not-storable.md
    let calls = client.calls;
    price(&sku).await + calls
}
