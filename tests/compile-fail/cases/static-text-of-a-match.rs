//! A `&'static str` that depends on a call.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let size = if price(&sku).await > 3 { "large" } else { sku_class(&sku) };
    //~ error[E0277] at `size`: a reference to text (`&str`) can't be kept over an await
    //~ see docs/errors/borrow.md
    price(&sku).await + size.len() as u64
}

fn sku_class(_: &str) -> &'static str {
    "small"
}
