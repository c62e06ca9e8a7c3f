//! noticed: one more warning
use durable::prelude::*;
use shop::price;

static STOCK: std::sync::Mutex<u64> = std::sync::Mutex::new(3);

#[workflow]
async fn wrong(sku: String) -> u64 {
    let _guard = STOCK.lock();
    //~ warning[deprecated] at `_guard`
    //~ see docs/errors/guard-released.md
    let unused = 1;
    price(&sku).await
}
