//! A text that a function returns.
use durable::prelude::*;
use shop::*;

fn size_of(sku: &str) -> &'static str {
    if sku.len() > 3 { "large" } else { "small" }
}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let size = size_of(&sku);
    //~ error[E0277] at `size`: a reference to text (`&str`) can't be kept over an await
    //~ see docs/errors/borrow.md
    let price = price(&sku).await;
    price + size.len() as u64
}
