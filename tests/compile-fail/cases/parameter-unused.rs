//! A parameter that can't be stored, and is not used after an await.
use durable::prelude::*;
use shop::*;

#[workflow]
//~ error[E0277] at `#[workflow]`
//~ error[E0277] at `#[workflow]`
async fn wrong(client: Client, sku: String) -> u64 {
    let calls = client.calls;
    price(&sku).await + calls
}
