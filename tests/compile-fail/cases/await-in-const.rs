//! An await in a const block.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let one = const { price("a").await };
    //~ error at `const`: an await inside this expression is not supported yet
    //~ help: await first: `let value = ....await;`, and use `value` here
    //~ see docs/errors/unsupported-position.md
    price(&sku).await + one
}
