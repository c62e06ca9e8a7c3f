//! A struct of the user's without serde.
use durable::prelude::*;
use shop::*;

struct Quote {
    cents: u64,
}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let quote = Quote { cents: 1 };
    //~ error[E0277] at `quote`: `Quote` can't be kept over an await, because it can't be stored
    //~ see docs/errors/not-storable.md
    let price = price(&sku).await;
    price + quote.cents
}
