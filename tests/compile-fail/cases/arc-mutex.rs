//! An `Arc<Mutex>` around a client.
use durable::prelude::*;
use shop::*;
use std::sync::{Arc, Mutex};

#[workflow]
async fn wrong(sku: String) -> u64 {
    let client = Arc::new(Mutex::new(Client::default()));
    //~ error[E0277] at `client`
    let price = price(&sku).await;
    client.lock().unwrap().calls += 1;
    price
}
