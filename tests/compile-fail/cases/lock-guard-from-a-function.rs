//! A guard that a function gives: only its type says so.
use durable::prelude::*;
use shop::*;
use std::sync::{Mutex, MutexGuard};

static STOCK: Mutex<u64> = Mutex::new(3);

fn stock() -> MutexGuard<'static, u64> {
    STOCK.lock().unwrap()
}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let stock = stock();
    //~ error[E0277] at `stock`
    let price = price(&sku).await;
    price * *stock
}
