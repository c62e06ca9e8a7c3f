//! A guard that is not used after the await: it is released there.
use durable::prelude::*;
use shop::*;
use std::sync::Mutex;

static STOCK: Mutex<u64> = Mutex::new(3);

#[workflow]
async fn wrong(sku: String) -> u64 {
    let _guard = STOCK.lock().unwrap();
    price(&sku).await
}
