//! A workflow that is awaited in a plain function.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn fulfil(sku: String) -> u64 {
    price(&sku).await
}

async fn main() {
    let price = fulfil("a".to_owned()).await;
    //~ error[E0277] at `await`
}
