//! A struct of the user's without serde.
use durable::prelude::*;
use shop::*;

struct Quote {
    cents: u64,
}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let quote = Quote { cents: 1 };
    //~ error[E0277] at `quote`
    let price = price(&sku).await;
    price + quote.cents
}
