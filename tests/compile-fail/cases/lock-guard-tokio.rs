//! A guard of tokio's mutex: the await of the lock comes first.
use durable::prelude::*;
use shop::*;
use tokio::sync::Mutex;

static STOCK: Mutex<u64> = Mutex::const_new(3);

#[workflow]
async fn wrong(sku: String) -> u64 {
    let stock = STOCK.lock().await;
    //~ error[E0277] at `STOCK.lock()`
    price(&sku).await * *stock
}
