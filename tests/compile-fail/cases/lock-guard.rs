//! A guard of `std::sync::Mutex` that is used after an await.
use durable::prelude::*;
use shop::*;
use std::sync::Mutex;

static STOCK: Mutex<u64> = Mutex::new(3);

#[workflow]
async fn wrong(sku: String) -> u64 {
    let stock = STOCK.lock().unwrap();
    //~ error[E0277] at `stock`
    let price = price(&sku).await;
    price * *stock
}
