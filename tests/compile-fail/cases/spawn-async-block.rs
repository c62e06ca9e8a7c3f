//! An async block that is spawned.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let five = spawn(async { 5 });
    price(&sku).await + five.await
}
