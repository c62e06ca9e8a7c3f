//! One variable over many awaits is one error.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let client = Client::default();
    //~ error[E0277] at `client`
    let mut total = price(&sku).await;
    for _ in 0..3 {
        total += price(&sku).await + client.calls;
    }
    if total > 3 {
        total += price("more").await;
    }
    total + client.calls
}
