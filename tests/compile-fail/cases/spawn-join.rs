//! Several operations that are spawned as one.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let both = spawn((price(&sku), price("all")).join());
    let (one, all) = both.await;
    one + all
}
