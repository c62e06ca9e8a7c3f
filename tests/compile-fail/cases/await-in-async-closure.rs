//! An await in an async closure.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> u64 {
    let total = async |sku: &str| price(sku).await;
    //~ error at `await`: an await inside a closure can't be a resume point
    //~ help: write a `for` loop with the await in its body, or move the closure's code to a second `#[workflow]` and call that
    //~ see docs/errors/await-in-closure.md
    drop(total);
    sku.len() as u64
}
