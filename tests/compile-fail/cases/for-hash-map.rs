//! A loop over a hash map by reference.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(stock: std::collections::HashMap<String, u64>) -> u64 {
    let mut sum = 0;
    for (sku, count) in &stock {
    //~ error[E0277] at `&stock`: a `for` loop that awaits can't go over `&HashMap<String, u64>`
    //~ see docs/errors/for-loop.md
        sum += price(sku).await * count;
    }
    sum
}
