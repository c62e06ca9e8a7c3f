//! A read guard of `RwLock`, under another name.
use durable::prelude::*;
use shop::*;
use std::sync::RwLock;

static TABLE: RwLock<String> = RwLock::new(String::new());

#[workflow]
async fn wrong(sku: String) -> u64 {
    let table = TABLE.read().expect("not poisoned");
    //~ error[E0277] at `table`
    let price = price(&sku).await;
    price + table.len() as u64
}
