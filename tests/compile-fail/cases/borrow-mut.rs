//! A reference that is pointed elsewhere in a loop.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(skus: Vec<String>) -> u64 {
    let mut longest = &skus[0];
    //~ error at `&skus[0]`: `&skus[0]` is still needed after the await of `price` in line 12, and can't be made again there: `longest` is `mut`, so it may refer to something else by then
    //~ help: keep an index, a key or an owned copy in `longest`, and borrow again after the await
    //~ see docs/errors/borrow.md
    for sku in &skus {
        if price(sku).await > 3 && sku.len() > longest.len() {
            longest = sku;
        }
    }
    longest.len() as u64
}
