//! Shared state as a parameter.
use durable::prelude::*;
use shop::*;
use std::sync::{Arc, Mutex};

#[workflow]
//~ error[E0277] at `#[workflow]`
//~ error[E0277] at `#[workflow]`
async fn wrong(sku: String, client: Arc<Mutex<Client>>) -> u64 {
//~ error[E0277] at `client`
    let price = price(&sku).await;
    client.lock().unwrap().calls += 1;
    price
}
