//! A guard of parking_lot: there is nothing to unwrap.
use durable::prelude::*;
use shop::*;
use parking_lot::Mutex;

static STOCK: Mutex<u64> = Mutex::new(3);

#[workflow]
async fn wrong(sku: String) -> u64 {
    let mut stock = STOCK.lock();
    //~ error[E0277] at `stock`: a lock guard (`parking_lot::lock_api::MutexGuard<'_, parking_lot::RawMutex, u64>`) can't be kept over an await
    //~ see docs/errors/lock-guard.md
    let price = price(&sku).await;
    *stock -= 1;
    price
}
