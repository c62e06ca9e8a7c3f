//! An await in `vec!`.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn wrong(sku: String) -> u64 {
    let prices = vec![price("a").await, 2];
    //~ error at `await`: an await inside a macro's arguments can't be a resume point
    //~ help: await first: `let value = ....await;`, and use `value` here
    //~ see docs/errors/await-in-macro.md
    prices[0] + sku.len() as u64
}
