//! A guard that is not used after the await: it is released there.
use durable::prelude::*;
use shop::*;
use std::sync::Mutex;

static STOCK: Mutex<u64> = Mutex::new(3);

#[workflow]
async fn wrong(sku: String) -> u64 {
    let _guard = STOCK.lock().unwrap();
    //~ warning[deprecated] at `_guard`: use of deprecated macro `guard_released_at_the_await`: this guard is not used after the next await, so it is released there and does not protect what comes after
    //~ help: put what it protects into a block of its own, without an await
    //~ see docs/errors/guard-released.md
    price(&sku).await
}
