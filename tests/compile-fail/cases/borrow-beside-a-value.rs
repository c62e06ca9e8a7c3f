//! A borrow and a value in one variable.
use durable::prelude::*;
use shop::*;

fn length(text: &str) -> u64 {
    text.len() as u64
}

fn total((text, length): (&String, u64)) -> u64 {
    text.len() as u64 + length
}

#[workflow]
async fn wrong(sku: String) -> u64 {
    let named = (&sku, length(&sku));
    //~ error at `(&sku, length(&sku))`: `(&sku, length(&sku))` is still needed after the await of `price` in line 19, and can't be made again there: it holds a value beside the borrow
    //~ help: bind the value and the borrow each by itself
    //~ see docs/errors/borrow.md
    let price = price(named.0).await;
    price + total(named)
}
