//! An `Arc<Mutex>` around a client.
use durable::prelude::*;
use shop::*;
use std::sync::{Arc, Mutex};

#[workflow]
async fn wrong(sku: String) -> u64 {
    let client = Arc::new(Mutex::new(Client::default()));
    //~ error[E0277] at `client`: `Arc<std::sync::Mutex<shop::Client>>` can't be kept over an await, because it can't be stored
    //~ see docs/errors/not-storable.md
    let price = price(&sku).await;
    client.lock().unwrap().calls += 1;
    price
}
