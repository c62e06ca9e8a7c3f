//! A guard of parking_lot: there is nothing to unwrap.
use durable::prelude::*;
use shop::*;
use parking_lot::Mutex;

static STOCK: Mutex<u64> = Mutex::new(3);

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut stock = STOCK.lock();
    //~ error[E0277] at `stock`
    let price = price(&sku).await;
    *stock -= 1;
    price
}
