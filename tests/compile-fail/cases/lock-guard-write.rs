//! A write guard, mutable.
use durable::prelude::*;
use shop::*;
use std::sync::RwLock;

static TABLE: RwLock<String> = RwLock::new(String::new());

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut table = TABLE.write().unwrap();
    //~ error[E0277] at `table`
    table.push_str(&sku);
    let price = price(&sku).await;
    table.push('!');
    price
}
