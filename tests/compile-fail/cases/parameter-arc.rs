//! Shared state as a parameter.
use durable::prelude::*;
use shop::*;
use std::sync::{Arc, Mutex};

#[workflow]
async fn wrong(sku: String, client: Arc<Mutex<Client>>) -> u64 {
//~ error[E0277] at `Arc<Mutex<Client>>`: `Arc<std::sync::Mutex<shop::Client>>` can't be an argument of a workflow, because it can't be stored
//~ see docs/errors/not-storable.md
    let price = price(&sku).await;
    client.lock().unwrap().calls += 1;
    price
}
